import { generateKeyPairSync } from "node:crypto";
import { foundInLayer, tagLayer } from "@countersign/bundle";
import type { Attestation, Evidence, Found, LogEntry, Payload } from "@countersign/core";
import { anAttestation, type Fulcio, fulcio, type Rekor, rekor, type TimestampAuthority, timestampAuthority } from "@countersign/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateHolder } from "./certificate-holder.ts";
import { certified, foundOf, type Holder, logged, rootOf, signed, somebody, spki, stamped } from "./keyless.fixture.ts";
import type { Policy } from "./policy.ts";
import { claimedTime } from "./timestamp.ts";
import type { SigstoreTrust, TrustMaterial } from "./trust.ts";
import { trustedAuthorityFromPem, trustFromPem } from "./trust-from-pem.ts";
import { trustedRootFrom } from "./trusted-root.ts";
import { verify } from "./verify.ts";

const day = 86_400_000;
let [ca, log, otherLog, otherCa]: [Fulcio, Rekor, Rekor, Fulcio] = [] as never;
let [statement, document]: [Payload, Payload] = [] as never;
let holder: Holder;
let sigstore: SigstoreTrust;
let evidence: Evidence;
let found: Found;
/** Where the clock of CA and log stands. */
let clock = Date.parse("2026-03-01T12:00:00Z");

beforeAll(async () => {
  const now = () => clock;
  [ca, log, otherLog, otherCa] = await Promise.all([fulcio({ now }), rekor({ now }), rekor({ now }), fulcio({ now })]);
  [statement, document] = [(await anAttestation()).payload, (await anAttestation({ envelope: "none" })).payload];
  holder = await certified(ca);
  // a tree of one leaf has an empty proof
  await logged(log, document, signed(document, holder));
  const signature = signed(statement, holder);
  evidence = await logged(log, statement, signature);
  found = foundOf(statement, signature, [evidence]);
  sigstore = trustedRootFrom(rootOf(ca, log));
});
afterAll(() => Promise.all([ca, log, otherLog, otherCa].map((server) => server?.close())));

const identity = () => ({ certificateIdentity: somebody, oidcIssuer: ca.issuer.url });
const reasons = (what: Found, policy: Policy = {}, trust: Partial<SigstoreTrust> = {}, payload = statement) =>
  verify(what, payload.body, { publicKeys: [], sigstore: { ...sigstore, ...trust } }, { identity: identity(), ...policy }).reasons;
const checks = (...args: Parameters<typeof reasons>) => reasons(...args).map(({ check }) => check);
const entryOf = (word: Evidence): LogEntry => (word.kind === "log-entry" ? word.entry : ({} as never));
const withEntry = (change: (entry: LogEntry) => LogEntry): Found => ({
  ...found,
  evidence: [{ kind: "log-entry", entry: change(entryOf(evidence)) }],
});

test("a keyless statement with its log entry is accepted, whole and out of a tag", async () => {
  expect(reasons(found)).toEqual([]);
  for (const payload of [statement, document]) {
    const signature = signed(payload, holder);
    const attestation: Attestation = {
      ...(await anAttestation()),
      payload,
      signature,
      evidence: [payload === statement ? await logged(log, payload, signature) : await logged(log, payload, signature)],
    };
    const kept = foundInLayer(tagLayer(attestation));
    expect(kept && checks(kept, {}, {}, payload)).toEqual([]);
    expect(kept?.evidence).toHaveLength(1);
  }
});

describe("identity", () => {
  test.each<[Policy["identity"] & object, string | undefined]>([
    [{ certificateIdentity: somebody, oidcIssuerRegexp: "127" }, undefined],
    [{ certificateIdentityRegexp: "^https://example[.]test/", oidcIssuerRegexp: "." }, undefined],
    [{ certificateIdentity: `${somebody}x`, oidcIssuerRegexp: "." }, `identity is ${somebody}, and ${somebody}x is wanted`],
    [{ certificateIdentityRegexp: "^nobody", oidcIssuerRegexp: "." }, "which ^nobody does not match"],
    [{ certificateIdentity: somebody, oidcIssuer: "https://elsewhere" }, "issuer is http://127.0.0.1"],
    [{ certificateIdentity: somebody }, "both be asked for"],
    [{ oidcIssuerRegexp: "." }, "both be asked for"],
    [{ certificateIdentityRegexp: "(", oidcIssuerRegexp: "." }, "no regular expression"],
  ])("%j: %s", (wanted, sentence) => {
    const found_ = reasons(found, { identity: wanted });
    expect(found_.map(({ check }) => check)).toEqual(sentence === undefined ? [] : ["identity"]);
    if (sentence) expect(found_[0]?.sentence).toContain(sentence);
  });

  test("the issuer of the older extension counts where the newer one is absent", () => {
    expect(certificateHolder(holder.certificate)).toMatchObject({ identities: [somebody], issuer: ca.issuer.url });
    expect(certificateHolder("x")).toBeUndefined();
  });

  test("nobody's certificate counts unless an identity is asked for", () => {
    const whoever = verify(found, statement.body, { publicKeys: [], sigstore }, {});
    expect(whoever.reasons.map(({ check }) => check)).toEqual(["identity"]);
    const stranger = spki(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    expect(verify(found, statement.body, { publicKeys: [stranger], sigstore }, { log: "ignored" }).accepted).toBe(false);
  });

  test("no certificate: said so, unless a trusted key made it", () => {
    const bare = foundOf(statement, signed(statement, { privateKey: holder.privateKey }), [evidence]);
    expect(reasons(bare)).toEqual([{ check: "certificate", sentence: expect.stringContaining("no certificate came with the signature") }]);
    const trust: TrustMaterial = { publicKeys: [spki(holder.privateKey)], sigstore };
    expect(verify(bare, statement.body, trust, { identity: identity(), log: "ignored" }).reasons).toEqual([]);
  });
});

describe("certificate", () => {
  test("of a CA that is not trusted, or no longer", async () => {
    const stranger = await certified(otherCa);
    const signature = signed(statement, stranger);
    const theirs = foundOf(statement, signature, [await logged(log, statement, signature)]);
    const wanted = { certificateIdentity: somebody, oidcIssuer: otherCa.issuer.url };
    expect(reasons(theirs, { identity: wanted })).toEqual([
      { check: "certificate", sentence: expect.stringContaining("no trusted certificate authority") },
    ]);
    expect(checks(found, {}, { certificateAuthorities: [] })).toEqual(["certificate"]);
    const ended = sigstore.certificateAuthorities.map((one) => ({ ...one, validFor: { end: "2026-02-01T00:00:00Z" } }));
    expect(checks(found, {}, { certificateAuthorities: ended })).toEqual(["certificate"]);
  });

  test("an intermediate that came along counts only under a trusted root", async () => {
    const root = { certificateAuthorities: [trustedAuthorityFromPem(ca.certificates.at(-1) ?? "", ca.url)] };
    expect(checks(found, {}, root)).toEqual([]);
    const { chain: _, ...alone } = found.signature;
    expect(checks({ ...found, signature: alone }, {}, root)).toEqual(["certificate"]);
    const signature = signed(statement, await certified(otherCa));
    const theirs = foundOf(statement, signature, [await logged(log, statement, signature)]);
    expect(checks(theirs, { identity: { certificateIdentity: somebody, oidcIssuerRegexp: "." } }, root)).toEqual(["certificate"]);
  });

  test("the promise of a certificate-transparency log: missing, of a stranger, ignored", async () => {
    for (const mood of ["no-sct", "foreign-sct"] as const) {
      ca.mood = mood;
      const odd = await certified(ca);
      ca.mood = undefined;
      const signature = signed(statement, odd);
      const theirs = foundOf(statement, signature, [await logged(log, statement, signature)]);
      expect(reasons(theirs)).toEqual([{ check: "certificate", sentence: expect.stringContaining("certificate-transparency log") }]);
      expect(checks(theirs, { certificateLog: "ignored" })).toEqual([]);
    }
    expect(checks(found, {}, { ctLogs: [] })).toEqual(["certificate"]);
    expect(checks(found, { certificateLog: "ignored" }, { ctLogs: [] })).toEqual([]);
  });

  test("expired when the log took the signature up", async () => {
    const before = clock;
    const mine = await certified(ca);
    clock += day;
    const signature = signed(statement, mine);
    const late = foundOf(statement, signature, [await logged(log, statement, signature)]);
    clock = before;
    expect(reasons(late)).toEqual([
      { check: "certificate", sentence: expect.stringMatching(/valid from 2026-03-01T.* and the signature is of 2026-03-02T/) },
    ]);
  });

  test("without log entry and timestamp: refused, or judged at a time that was handed in", () => {
    const timeless = { ...found, evidence: [] };
    expect(checks(timeless)).toEqual(["log-entry", "timestamp"]);
    expect(checks(timeless, { log: "ignored" })).toEqual(["timestamp"]);
    expect(checks(timeless, { log: "ignored", at: new Date(clock).toISOString() })).toEqual([]);
    expect(checks(timeless, { log: "ignored", at: new Date(clock + day).toISOString() })).toEqual(["certificate"]);
    expect(checks(timeless, { log: "ignored", at: "soon" })).toEqual(["certificate"]);
  });

  test("of another key than the one that signed", async () => {
    const { certificate } = await certified(ca);
    expect(checks({ ...found, signature: { ...found.signature, certificate } })).toEqual(["signature", "log-entry"]);
    expect(checks({ ...found, signature: { ...found.signature, certificate: "x" } })).toEqual(["certificate"]);
  });
});

describe("log entry", () => {
  test("of another log, or of a log whose key no longer counted", () => {
    expect(reasons(found, {}, { logs: otherLog.logs })).toEqual([
      { check: "log-entry", sentence: expect.stringContaining("a log that is not trusted") },
    ]);
    expect(checks(found, {}, { logs: [] })).toEqual(["log-entry"]);
    const retired = sigstore.logs.map((one) => ({ ...one, validFor: { end: "2026-02-01T00:00:00Z" } }));
    expect(checks(found, {}, { logs: retired })).toEqual(["log-entry"]);
  });

  test("under the name of a trusted log, but with the key of another", () => {
    const posing = otherLog.logs.map((one) => ({ ...one, keyId: sigstore.logs[0]?.keyId ?? "" }));
    expect(checks(found, {}, { logs: posing })).toEqual(["log-entry"]);
  });

  test.each<[string, (entry: LogEntry) => LogEntry]>([
    ["promise", (entry) => ({ ...entry, inclusionPromise: { signedEntryTimestamp: Buffer.alloc(70, 1).toString("base64") } })],
    ["time", (entry) => ({ ...entry, integratedTime: String(Number(entry.integratedTime) + 1) })],
    ["index", (entry) => ({ ...entry, logIndex: String(Number(entry.logIndex) + 1) })],
    ["root", (entry) => withProof(entry, { rootHash: Buffer.alloc(32).toString("base64") })],
    ["path", (entry) => withProof(entry, { hashes: [Buffer.alloc(32).toString("base64")] })],
    ["tree size", (entry) => withProof(entry, { treeSize: "1" })],
    ["checkpoint", (entry) => withProof(entry, { checkpoint: { envelope: "x" } })],
    ["body", (entry) => ({ ...entry, canonicalizedBody: Buffer.from("{}").toString("base64") })],
    ["no JSON", (entry) => ({ ...entry, canonicalizedBody: "????" })],
    ["kind", (entry) => ({ ...entry, kindVersion: { kind: "hashedrekord", version: "0.0.1" } })],
    ["nothing but a claim", ({ inclusionPromise: _, inclusionProof: __, ...entry }) => entry],
  ])("with another %s", (_, change) => {
    expect(checks(withEntry(change))).toEqual(expect.arrayContaining(["log-entry"]));
    expect(checks(withEntry(change), { log: "ignored", at: new Date(clock).toISOString() })).toEqual([]);
  });
  const withProof = (entry: LogEntry, change: Partial<NonNullable<LogEntry["inclusionProof"]>>): LogEntry =>
    entry.inclusionProof ? { ...entry, inclusionProof: { ...entry.inclusionProof, ...change } } : entry;

  test("of a smaller tree", async () => {
    log.mood = "smaller-tree";
    const signature = signed(statement, holder);
    const small = foundOf(statement, signature, [await logged(log, statement, signature)]);
    log.mood = undefined;
    expect(checks(small)).toEqual(["log-entry"]);
  });

  test("a sound one about another signature, another payload, another signer", async () => {
    const another = signed(statement, await certified(ca));
    const word = await logged(log, statement, another);
    expect(reasons({ ...found, evidence: [word] })).toEqual([{ check: "log-entry", sentence: expect.stringContaining("signature") }]);
    const keyed = signed(statement, { privateKey: holder.privateKey });
    const ofKey = await logged(log, statement, keyed);
    const mixed = foundOf(statement, { ...keyed, certificate: holder.certificate, chain: holder.chain }, [ofKey]);
    expect(reasons(mixed)).toEqual([{ check: "log-entry", sentence: expect.stringContaining("names another signer") }]);
  });

  test("one sound entry does not excuse a bad one", () => {
    const bad = withEntry((entry) => ({ ...entry, integratedTime: "1" })).evidence;
    expect(checks({ ...found, evidence: [evidence, ...bad] })).toEqual(["log-entry"]);
  });

  test("a proof without a promise is good, but says nothing about when", () => {
    const proofOnly = withEntry(({ inclusionPromise: _, logIndex: __, ...entry }) => ({
      ...entry,
      logIndex: entry.inclusionProof?.logIndex ?? "",
    }));
    expect(checks(proofOnly)).toEqual(["timestamp"]);
    expect(checks(proofOnly, { at: new Date(clock).toISOString() })).toEqual([]);
  });
});

describe("timestamp", () => {
  let [tsa, otherTsa]: [TimestampAuthority, TimestampAuthority] = [] as never;
  let token: Evidence;
  beforeAll(async () => {
    const now = () => clock;
    [tsa, otherTsa] = await Promise.all([timestampAuthority({ now }), timestampAuthority({ now })]);
    token = await stamped(tsa, found.signature);
  });
  afterAll(() => Promise.all([tsa?.close(), otherTsa?.close()]));
  const stampedBy = (...evidence: Evidence[]): Found => ({ ...found, evidence });
  const trusting = (authority = tsa) => ({ timestampAuthorities: [authority.authority] });

  test("says when the signature was there, with a log's proof or where logs are ignored", () => {
    expect(checks(stampedBy(token), { log: "ignored" }, trusting())).toEqual([]);
    expect(checks(stampedBy(token), {}, trusting())).toEqual(["log-entry"]);
    expect(checks(stampedBy(evidence, token), {}, trusting())).toEqual([]);
    expect(claimedTime(token.kind === "timestamp" ? token.token : "")).toBe(new Date(clock).toISOString());
    expect(claimedTime("AAAA")).toBeUndefined();
  });

  test("of an authority that is not trusted, over another signature, damaged", async () => {
    expect(checks(stampedBy(token), { log: "ignored" }, trusting(otherTsa))).toEqual(["timestamp", "timestamp"]);
    const strange = await stamped(tsa, { bytes: Buffer.from("another") });
    expect(checks(stampedBy(evidence, strange), {}, trusting())).toEqual(["timestamp"]);
    expect(checks(stampedBy(evidence, { kind: "timestamp", token: "AAAA" }), {}, trusting())).toEqual(["timestamp"]);
    // whoever trusts no authority takes no notice
    expect(checks(stampedBy(evidence, strange))).toEqual([]);
  });

  test("over the whole envelope, where that is handed in", async () => {
    const envelope = Buffer.from("the envelope");
    const over = stampedBy(await stamped(tsa, { bytes: envelope }));
    const judged = (more?: Parameters<typeof verify>[4]) =>
      verify(
        over,
        statement.body,
        { publicKeys: [], sigstore: { ...sigstore, ...trusting() } },
        { identity: identity(), log: "ignored" },
        more,
      );
    expect(judged({ envelope }).reasons).toEqual([]);
    expect(judged({ envelope: Buffer.from("another") }).accepted).toBe(false);
    expect(judged().accepted).toBe(false);
  });

  test("after the certificate had expired", async () => {
    const before = clock;
    clock += day;
    const late = await stamped(tsa, found.signature);
    clock = before;
    expect(checks(stampedBy(late), { log: "ignored" }, trusting())).toEqual(["certificate"]);
    expect(checks(stampedBy(evidence, late), {}, trusting())).toEqual(["certificate"]);
  });
});

describe("with a key and a log", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = spki(privateKey);
  const judged = (what: Found, trust: Partial<TrustMaterial>, policy: Policy = {}) =>
    verify(what, statement.body, { publicKeys: [], sigstore, ...trust }, policy).reasons.map(({ check }) => check);
  let withLog: Found;
  let without: Found;
  beforeAll(async () => {
    const signature = signed(statement, { privateKey });
    without = foundOf(statement, signature);
    withLog = foundOf(statement, signature, [await logged(log, statement, signature)]);
  });

  test("the entry is wanted where a trust root is given, unless it is ignored", () => {
    expect(judged(withLog, { publicKeys: [pem] })).toEqual([]);
    expect(judged(without, { publicKeys: [pem] })).toEqual(["log-entry"]);
    expect(judged(without, { publicKeys: [pem] }, { log: "ignored" })).toEqual([]);
    expect(judged({ ...withLog, evidence: [evidence] }, { publicKeys: [pem] })).toEqual(["log-entry"]);
    expect(verify(withLog, statement.body, { publicKeys: [pem] }, {}).reasons).toEqual([]);
    const rootless = verify(withLog, statement.body, { publicKeys: [pem] }, { log: "required" });
    expect(rootless.reasons.map(({ check }) => check)).toEqual(["log-entry"]);
  });

  test("every fault is told, of the signature and of the log", () => {
    const other = spki(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    const bad = { ...withLog, evidence: withEntry((entry) => ({ ...entry, integratedTime: "5" })).evidence };
    expect(judged(bad, { publicKeys: [other] }, { subject: "sha256:00" })).toEqual(["signature", "log-entry", "subject"]);
  });

  test("a key with a period counts for signatures that a log saw within it", () => {
    const within = trustFromPem(`valid-from: 2026-02-28T00:00:00Z\n# valid-until: 2026-03-02T00:00:00Z\n${pem}`);
    const later = trustFromPem(`valid-from: 2026-03-02T00:00:00Z\n${pem}`);
    const earlier = trustFromPem(`valid-until: 2026-02-28T00:00:00Z\n${pem}`);
    expect(within).toEqual({
      publicKeys: [],
      timedKeys: [{ publicKey: pem, validFor: { start: expect.any(String), end: expect.any(String) } }],
    });
    expect(judged(withLog, within)).toEqual([]);
    expect(judged(withLog, later)).toEqual(["identity"]);
    expect(judged(withLog, earlier)).toEqual(["identity"]);
    expect(judged(without, within, { log: "ignored" })).toEqual(["identity"]);
    expect(judged(without, within, { log: "ignored", at: "2026-03-01T00:00:00Z" })).toEqual([]);
    expect(judged(without, later, { log: "ignored", at: "2026-03-01T00:00:00Z" })).toEqual(["identity"]);
    expect(judged(withLog, { ...earlier, publicKeys: [pem] })).toEqual([]);
  });

  test("a period that is none is refused", () => {
    expect(() => trustFromPem(`valid-from: yesterday\n${pem}`)).toThrow("valid-from above a key is no time");
    expect(trustFromPem(`${pem}# valid-until: 2026-01-01T00:00:00Z\n${pem}`).publicKeys).toEqual([pem]);
  });
});

test("no evidence, certificate, policy or trust root makes it throw, and none is accepted by chance", () => {
  const text = fc.oneof(fc.string(), fc.base64String(), fc.constant(holder.certificate), fc.constant("0"));
  const entry = fc.record({
    logIndex: text,
    logId: fc.record({ keyId: fc.oneof(text, fc.constant(sigstore.logs[0]?.keyId ?? "")) }),
    kindVersion: fc.record({ kind: fc.constantFrom("dsse", "hashedrekord", "intoto"), version: fc.constantFrom("0.0.1", "0.0.2") }),
    integratedTime: fc.oneof(text, fc.constant(String(clock / 1000))),
    inclusionPromise: fc.option(fc.record({ signedEntryTimestamp: text }), { nil: undefined }),
    canonicalizedBody: fc.oneof(
      text,
      fc.constant(entryOf(evidence).canonicalizedBody),
      fc.json().map((json) => Buffer.from(json).toString("base64")),
    ),
  });
  const word = fc.oneof(
    entry.map((one) => ({ kind: "log-entry", entry: one }) as Evidence),
    text.map((token) => ({ kind: "timestamp", token }) as Evidence),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 3 }), text, text, (words, certificate, at) => {
      const what: Found = { ...found, signature: { ...found.signature, certificate, chain: certificate }, evidence: words };
      expect(reasons(what, { at })).not.toEqual([]);
      const odd = [{ keyId: sigstore.logs[0]?.keyId ?? "", publicKey: at, url: "" }];
      expect(
        reasons(
          { ...found, evidence: [evidence, ...words] },
          {},
          { logs: odd, ctLogs: odd, timestampAuthorities: [{ url: "", certificates: [at] }] },
        ),
      ).not.toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("nothing that was flipped is accepted", () => {
  const { certificate = "" } = found.signature;
  const der = Buffer.from(certificate.replace(/-----.*-----/g, ""), "base64");
  for (let at = 0; at < der.length; at += 7) {
    const copy = Buffer.from(der);
    copy.writeUInt8(copy.readUInt8(at) ^ 4, at);
    const pem = `-----BEGIN CERTIFICATE-----\n${copy.toString("base64")}\n-----END CERTIFICATE-----\n`;
    expect(checks({ ...found, signature: { ...found.signature, certificate: pem } }), `byte ${at}`).not.toEqual([]);
  }
});
