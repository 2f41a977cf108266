import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attestRun, failuresOf } from "@countersign/attest";
import { foundInBundle, sigstoreBundle } from "@countersign/bundle";
import { type Attestation, type Formatter, route, type Signer } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { hintOf } from "@countersign/in-toto-attestation";
import { keylessSigner } from "@countersign/signers-keyless";
import { fromSigstore, toSigstore } from "@countersign/signers-sigstore";
import { x509Signer } from "@countersign/signers-x509";
import { rekorWitness, timestampWitness } from "@countersign/storage-rekor";
import {
  type Fulcio,
  fulcio,
  memoryStorage,
  type Rekor,
  type RekorTiles,
  rekor,
  rekorTiles,
  type TimestampAuthority,
  timestampAuthority,
  trustedRoot,
} from "@countersign/testing";
import { trustedRootFrom, verify } from "@countersign/verify";
import { DSSEBundleBuilder, FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } from "@sigstore/sign";
import { attest, type Bundle, verify as sigstoreVerify, type VerifyOptions } from "sigstore";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TufMirror, tufMirror } from "../../packages/verify/src/tuf-mirror.fixture.ts";

/** sigstore-js and Countersign, each made by one and judged by the other, through the fakes of Fulcio, Rekor and a TUF repository. */

const signal = new AbortController().signal;
const somebody = "https://example.test/somebody";
const type = "application/vnd.in-toto+json";
const statement = Buffer.from(
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: { runDetails: { builder: { id: "https://builder.example" } } },
  }),
);

let net: Http;
let ca: Fulcio;
let log: Rekor;
let otherCa: Fulcio;
let otherLog: Rekor;
let tiles: RekorTiles;
let tsa: TimestampAuthority;
let dir = "";
let mirrors: { readonly right: TufMirror; readonly otherLog: TufMirror; readonly otherCtLog: TufMirror; readonly otherCa: TufMirror };

beforeAll(async () => {
  net = http();
  [ca, otherCa] = await Promise.all([fulcio(), fulcio()]);
  // sigstore-js believes a checkpoint whose name is part of the log's address.
  [log, otherLog] = await Promise.all([rekor({ hostname: "127.0.0.1" }), rekor({ hostname: "127.0.0.1" })]);
  [tiles, tsa] = await Promise.all([rekorTiles(), timestampAuthority()]);
  dir = await mkdtemp(join(tmpdir(), "interop-"));
  const [right, foreignLog, foreignCtLog, foreignCa] = await Promise.all([
    tufMirror(rootText()),
    tufMirror(rootText({ logs: otherLog })),
    tufMirror(rootText({ ctLogs: otherCa })),
    tufMirror(rootText({ authority: otherCa })),
  ]);
  mirrors = { right, otherLog: foreignLog, otherCtLog: foreignCtLog, otherCa: foreignCa };
});
afterAll(async () => {
  await Promise.all([net, ca, log, tiles, tsa, otherCa, otherLog, ...Object.values(mirrors)].map((one) => one.close()));
  await rm(dir, { recursive: true });
});

function rootText({ logs = log, ctLogs = ca, authority = ca }: { logs?: Rekor; ctLogs?: Fulcio; authority?: Fulcio } = {}): string {
  const certificateAuthorities = [{ url: authority.url, certificates: authority.certificates }];
  const believed = logs === log ? [...log.logs, ...tiles.logs] : logs.logs;
  return trustedRoot({ certificateAuthorities, ctLogs: ctLogs.ctLogs, logs: believed, timestampAuthorities: [tsa.authority] });
}

/** With the trust root that this mirror hands out; retries and caches have no part in it. */
async function theirVerdict(bundle: string, mirror = mirrors.right, options: VerifyOptions = {}): Promise<string> {
  const place = await mkdtemp(join(dir, "tuf-"));
  const tufRootPath = join(place, "root.json");
  await writeFile(tufRootPath, mirror.root);
  const trust = { tufMirrorURL: mirror.url, tufRootPath, tufCachePath: join(place, "cache") };
  const policy = { certificateIssuer: ca.issuer.url, certificateIdentityURI: somebody };
  return sigstoreVerify(JSON.parse(bundle) as Bundle, { ...trust, ...policy, ...options }).then(
    () => "accepted",
    (error: Error) => error.message,
  );
}

function ourVerdict(bundle: string, text = rootText(), identity = { certificateIdentity: somebody, oidcIssuer: ca.issuer.url }): string {
  const there = foundInBundle(bundle);
  if (!there) return "no bundle";
  const { accepted, reasons } = verify(there.found, there.payload, { publicKeys: [], sigstore: trustedRootFrom(text) }, { identity });
  return accepted ? "accepted" : reasons.map(({ sentence }) => sentence).join("; ");
}

const token = (): string => ca.issuer.token();
const ourKeyless = (): Signer => keylessSigner({ url: ca.url, http: net, tokens: async () => ({ token: token(), source: "the test" }) });
const theirKeyless = (): FulcioSigner => new FulcioSigner({ fulcioBaseURL: ca.url, identityProvider: { getToken: async () => token() } });
const theirLog = (): RekorWitness => new RekorWitness({ rekorBaseURL: log.url, entryType: "dsse", fetchOnConflict: true });
/** The builders answer messages of protobuf; sigstore's own dependency writes them down. */
const { bundleToJSON } = createRequire(import.meta.resolve("sigstore"))("@sigstore/bundle") as { bundleToJSON(bundle: unknown): Bundle };
const textOf = async (bundle: Promise<unknown>): Promise<string> => JSON.stringify(bundleToJSON(await bundle));

const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const;
const artifact = { kind: "taskrun", run: ref, serviceAccount: "default", shortKey: "taskrun-u1", fullKey: "x" } as const;
const run = { ref, annotations: {}, artifact };
const provenance: Formatter<typeof run> = {
  name: "slsa/v2alpha4",
  format: () => ({ format: "slsa/v2alpha4", envelope: "dsse", mediaType: type, subjects: [{ name: "app", digest: {} }], body: statement }),
};

/** Through Countersign's own pipeline. */
async function attested(signer: Signer, version: "v1" | "v2" = "v1"): Promise<Attestation> {
  const trust = async () => trustedRootFrom(rootText());
  const log1 = rekorWitness({ url: log.url, http: net, trust });
  const log2 = rekorWitness({ url: tiles.url, http: net, trust, version: "v2" });
  const witnesses = version === "v1" ? [log1] : [timestampWitness({ url: tsa.url, http: net, trust }), log2];
  const report = await attestRun(run, [route(run, provenance, { signer, witnesses, backends: [memoryStorage()] })], { signal });
  const [outcome] = report.outcomes;
  expect(failuresOf(report)).toEqual([]);
  if (!outcome?.attestation) throw new Error("nothing was attested");
  return outcome.attestation;
}

/** Who makes the bundle. */
const makers: readonly (readonly [string, () => Promise<string>])[] = [
  ["Countersign's pipeline and keyless signer", async () => sigstoreBundle(await attested(ourKeyless()))],
  ["Countersign's pipeline and sigstore's signer", async () => sigstoreBundle(await attested(fromSigstore(theirKeyless())))],
  [
    "sigstore's builder and Countersign's keyless signer",
    () => textOf(new DSSEBundleBuilder({ signer: toSigstore(ourKeyless()), witnesses: [theirLog()] }).create({ data: statement, type })),
  ],
  ["Countersign's pipeline with a timestamp and Rekor v2", async () => sigstoreBundle(await attested(ourKeyless(), "v2"))],
  [
    "sigstore.attest",
    async () => JSON.stringify(await attest(statement, type, { fulcioURL: ca.url, rekorURL: log.url, identityToken: token() })),
  ],
];

describe.each(makers)("made by %s", (_, make) => {
  let bundle = "";
  beforeAll(async () => {
    bundle = await make();
  });

  test("sigstore.verify and Countersign accept it", async () => {
    expect(await theirVerdict(bundle)).toBe("accepted");
    expect(ourVerdict(bundle)).toBe("accepted");
  });

  test("both refuse another log, another CT log, another CA", async () => {
    for (const mirror of [mirrors.otherLog, mirrors.otherCtLog, mirrors.otherCa])
      expect(await theirVerdict(bundle, mirror)).not.toBe("accepted");
    for (const other of [{ logs: otherLog }, { ctLogs: otherCa }, { authority: otherCa }])
      expect(ourVerdict(bundle, rootText(other))).not.toBe("accepted");
  });

  test("both refuse another identity, another issuer, a changed statement", async () => {
    expect(await theirVerdict(bundle, mirrors.right, { certificateIdentityURI: "https://example.test/other" })).not.toBe("accepted");
    expect(await theirVerdict(bundle, mirrors.right, { certificateIssuer: "https://other.test" })).not.toBe("accepted");
    expect(ourVerdict(bundle, rootText(), { certificateIdentity: "https://example.test/other", oidcIssuer: ca.issuer.url })).not.toBe(
      "accepted",
    );
    expect(ourVerdict(bundle, rootText(), { certificateIdentity: somebody, oidcIssuer: "https://other.test" })).not.toBe("accepted");
    const parsed = JSON.parse(bundle);
    parsed.dsseEnvelope.payload = Buffer.from(statement.toString().replace("builder.example", "builder.elsewhere")).toString("base64");
    const changed = JSON.stringify(parsed);
    expect(await theirVerdict(changed)).not.toBe("accepted");
    expect(ourVerdict(changed)).not.toBe("accepted");
  });
});

test("a bundle without a certificate: sigstore finds the key by our hint", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const files = { "x509.pem": Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })) };
  const signer = x509Signer({ keys: { current: async () => ({ version: "1", files }) } });
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const byHint = { keySelector: (hint: string) => (hint === hintOf(pem) ? pem : undefined) };
  const noIdentity = { certificateIssuer: "", certificateIdentityURI: "" };
  const bundle = sigstoreBundle(await attested(signer));
  expect(await theirVerdict(bundle, mirrors.right, { ...byHint, ...noIdentity })).toBe("accepted");
  expect(await theirVerdict(bundle, mirrors.right, { keySelector: () => undefined, ...noIdentity })).not.toBe("accepted");
});

/** A log of the second generation takes no envelopes, so that sigstore's builder of them cannot use one. */
const messageWitnesses = {
  "Rekor v1": () => [theirLog()],
  "a timestamp and Rekor v2": () => [
    new TSAWitness({ tsaBaseURL: tsa.url }),
    new RekorWitness({ rekorBaseURL: tiles.url, majorApiVersion: 2 }),
  ],
};

test.each(["Rekor v1", "a timestamp and Rekor v2"] as const)("a signed message: sigstore's builder with our signer, %s", async (which) => {
  const data = Buffer.from("a message");
  const bundle = await textOf(
    new MessageSignatureBundleBuilder({ signer: toSigstore(ourKeyless()), witnesses: messageWitnesses[which]() }).create({ data }),
  );
  const place = await mkdtemp(join(dir, "tuf-"));
  const tufRootPath = join(place, "root.json");
  await writeFile(tufRootPath, mirrors.right.root);
  const options = { tufMirrorURL: mirrors.right.url, tufRootPath, tufCachePath: join(place, "cache") };
  await expect(sigstoreVerify(JSON.parse(bundle) as Bundle, data, options)).resolves.toBeDefined();
  await expect(sigstoreVerify(JSON.parse(bundle) as Bundle, Buffer.from("another"), options)).rejects.toThrow();
});
