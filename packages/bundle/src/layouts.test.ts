import { generateKeyPairSync, sign } from "node:crypto";
import type { Attestation, Evidence, LogEntry } from "@countersign/core";
import { base64Bytes, hintOf, inTotoPayloadType, parseEnvelope } from "@countersign/in-toto-attestation";
import { describe, expect, test } from "vitest";
import { logEntriesIn, seenAt } from "./evidence.ts";
import { aLog } from "./log.fixture.ts";
import { logEntryFault } from "./log-entry.ts";
import { messageOf, sha256 } from "./message.ts";
import { foundInBundle, sigstoreBundle } from "./sigstore-bundle.ts";
import { foundInLayer, rekorBundle, tagLayer } from "./tag-layer.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const;
const hex = "a".repeat(64);

function attestation(envelope: "dsse" | "none", evidence: readonly Evidence[] = []): Attestation {
  const statement = { _type: "https://in-toto.io/Statement/v1", subject: [{ name: "app", digest: { sha256: hex } }] };
  const payload = {
    format: envelope === "dsse" ? "slsa/v2alpha4" : "simplesigning",
    envelope,
    mediaType: envelope === "dsse" ? inTotoPayloadType : "application/vnd.dev.cosign.simplesigning.v1+json",
    body: Buffer.from(JSON.stringify(statement)),
    subjects: [],
    ...(envelope === "dsse" && { predicateType: "https://slsa.dev/provenance/v1" }),
  };
  const signature = { bytes: sign("sha256", messageOf(payload), privateKey), algorithm: "ecdsa-sha256", publicKey: pem } as const;
  const artifact = {
    kind: "image",
    run: ref,
    serviceAccount: "default",
    shortKey: hex.slice(0, 12),
    fullKey: `r.io/app@sha256:${hex}`,
  } as const;
  return { artifact, payload, signature, evidence };
}

const [v1, v2] = [aLog("v1"), aLog("v2")];
const word = (entry: LogEntry): Evidence => ({ kind: "log-entry", entry });
const token: Evidence = { kind: "timestamp", token: "AAAA" };

describe("a sigstore bundle", () => {
  test("gives back what went in: payload, signature, entries of both generations, timestamps", () => {
    const whole = attestation("dsse", [word(v1.entry(0, 1)), word(v1.entry(3, 7)), word(v2.entry(0, 1)), word(v2.entry(5, 9)), token]);
    const ofTags: Evidence = { kind: "timestamp", token: "BBBB", over: "envelope" };
    const read = foundInBundle(sigstoreBundle({ ...whole, evidence: [ofTags, ...whole.evidence] }));
    expect(read?.found.digest).toBe(sha256(whole.payload.body));
    expect(Buffer.from(read?.payload ?? []).equals(Buffer.from(whole.payload.body))).toBe(true);
    expect(Buffer.from(read?.found.signature.bytes ?? []).equals(Buffer.from(whole.signature.bytes))).toBe(true);
    expect(read?.found.evidence).toEqual(whole.evidence);
    for (const entry of logEntriesIn(read?.found.evidence ?? [])) expect(logEntryFault(entry, [v1.key, v2.key])).toBeUndefined();
  });

  test("leaves out zeros and what is not there, as protobuf does", () => {
    const { verificationMaterial } = JSON.parse(sigstoreBundle(attestation("dsse", [word(v2.entry(0, 1))])));
    expect(Object.keys(verificationMaterial)).toEqual(["publicKey", "tlogEntries"]);
    expect(verificationMaterial.publicKey).toEqual({ hint: hintOf(pem) });
    const [entry] = verificationMaterial.tlogEntries;
    expect(Object.keys(entry)).toEqual(["logId", "kindVersion", "inclusionProof", "canonicalizedBody"]);
    expect(Object.keys(entry.inclusionProof)).toEqual(["rootHash", "treeSize", "checkpoint"]);
    expect(JSON.parse(sigstoreBundle(attestation("dsse"))).verificationMaterial).toEqual({ publicKey: { hint: hintOf(pem) } });
  });

  test("has no keyid, and holds no payload without envelope", () => {
    expect(JSON.parse(sigstoreBundle(attestation("dsse"))).dsseEnvelope.signatures).toEqual([{ sig: expect.any(String) }]);
    expect(() => sigstoreBundle(attestation("none"))).toThrow(/no DSSE envelope/);
  });

  test.each(["", "{}", "null", "[]", '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}', '{"mediaType":"text/plain"}'])(
    "%s is none",
    (text) => {
      expect(foundInBundle(text)).toBeUndefined();
    },
  );

  test("damaged entries do not hide the signature", () => {
    const bundle = JSON.parse(sigstoreBundle(attestation("dsse", [word(v1.entry(0, 1))])));
    bundle.verificationMaterial.tlogEntries.push({}, { logId: {} });
    expect(foundInBundle(JSON.stringify(bundle))?.found.evidence).toHaveLength(1);
  });
});

describe("a layer of a tag", () => {
  test.each(["dsse", "none"] as const)("%s: gives back signature, promise and timestamp", (envelope) => {
    const entry = v1.entry(3, 7);
    const ofLayer: Evidence = envelope === "dsse" ? { kind: "timestamp", token: "BBBB", over: "envelope" } : token;
    const other: Evidence = envelope === "dsse" ? token : { kind: "timestamp", token: "BBBB", over: "envelope" };
    const whole = attestation(envelope, [other, ofLayer, word(entry)]);
    const found = foundInLayer(tagLayer(whole));
    expect(found?.digest).toBe(sha256(whole.payload.body));
    expect(Buffer.from(found?.signature.bytes ?? []).equals(Buffer.from(whole.signature.bytes))).toBe(true);
    const { inclusionProof: _, ...promise } = entry;
    expect(logEntriesIn(found?.evidence ?? [])).toEqual([promise]);
    expect(found?.evidence.filter(({ kind }) => kind === "timestamp")).toEqual([ofLayer]);
    expect(logEntryFault(promise, [v1.key], { promiseSuffices: true })).toBeUndefined();
  });

  test("keeps no entry that has no promise: cosign could not read it", () => {
    const { annotations } = tagLayer(attestation("dsse", [word(v2.entry(0, 1))]));
    expect(annotations["dev.sigstore.cosign/bundle"]).toBeUndefined();
  });

  test("has the promise's members in the order that cosign signs over", () => {
    const { SignedEntryTimestamp, Payload } = JSON.parse(rekorBundle(v1.entry(3, 7)));
    expect(Object.keys(JSON.parse(rekorBundle(v1.entry(3, 7))))).toEqual(["SignedEntryTimestamp", "Payload"]);
    expect(Object.keys(Payload)).toEqual(["body", "integratedTime", "logIndex", "logID"]);
    expect([typeof SignedEntryTimestamp, Payload.integratedTime, Payload.logIndex]).toEqual(["string", 1795319629, 1003]);
    expect(Payload.logID).toMatch(/^[0-9a-f]{64}$/);
  });

  test("an envelope keeps the keyid, an image signature stands beside its payload", () => {
    const envelope = parseEnvelope(Buffer.from(tagLayer(attestation("dsse")).bytes).toString());
    expect(envelope.signatures[0]?.keyid).toMatch(/^SHA256:/);
    const raw = attestation("none");
    const { bytes, annotations } = tagLayer(raw);
    expect(bytes).toBe(raw.payload.body);
    expect(
      Buffer.from(base64Bytes(annotations["dev.cosignproject.cosign/signature"] ?? "") ?? []).equals(Buffer.from(raw.signature.bytes)),
    ).toBe(true);
  });

  test.each(["", "{", '{"Payload":{}}', '{"SignedEntryTimestamp":"AA==","Payload":{"body":"e30","logID":1}}'])(
    "damaged evidence is none: %s",
    (text) => {
      const layer = tagLayer(attestation("dsse"));
      const annotations = { ...layer.annotations, "dev.sigstore.cosign/bundle": text, "dev.sigstore.cosign/rfc3161timestamp": text };
      expect(foundInLayer({ ...layer, annotations })?.evidence).toEqual([]);
    },
  );
});

test("the first who saw it says when; what says no time says nothing", () => {
  expect(seenAt([word(v1.entry(0, 1)), token])).toBe(1795319629);
  expect(seenAt([word(v2.entry(0, 1)), token])).toBeUndefined();
  expect(seenAt([])).toBeUndefined();
});
