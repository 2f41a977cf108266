import { spawnSync } from "node:child_process";
import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { foundInLayer, sha256 } from "@countersign/bundle";
import type { Found, SignatureAlgorithm } from "@countersign/core";
import { inTotoPayloadType, preAuthEncoding } from "@countersign/in-toto-attestation";
import { ed25519ph } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Policy } from "./policy.ts";
import type { TrustMaterial } from "./trust.ts";
import { trustFromPem } from "./trust-from-pem.ts";
import { verify } from "./verify.ts";

const hex = "a".repeat(64);
const slsa1 = "https://slsa.dev/provenance/v1";
const statement = Buffer.from(
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "registry.example/app", digest: { sha256: hex } }],
    predicateType: slsa1,
    predicate: { runDetails: { builder: { id: "https://tekton.dev/chains/v2" } } },
  }),
);
const simple = Buffer.from(
  JSON.stringify({
    critical: {
      identity: { "docker-reference": "registry.example/app" },
      image: { "docker-manifest-digest": `sha256:${hex}` },
      type: "cosign container image signature",
    },
    optional: null,
  }),
);
const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = (key: KeyObject) => createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
const trust = { publicKeys: [spki(pair.privateKey)] };
const foundOf = (payload: Uint8Array, bytes: Uint8Array, algorithm?: SignatureAlgorithm): Found => ({
  digest: sha256(payload),
  signature: { bytes, ...(algorithm && { algorithm }) },
  evidence: [],
});
const dsse = (payload: Uint8Array, type = inTotoPayloadType) => sign("sha256", preAuthEncoding(type, payload), pair.privateKey);
const raw = (payload: Uint8Array) => sign("sha256", payload, pair.privateKey);
const checks = (found: Found, payload: Uint8Array, policy: Policy = {}, whom: TrustMaterial = trust) =>
  verify(found, payload, whom, policy).reasons.map(({ check }) => check);

test("a statement and an image signature of a trusted key are accepted", () => {
  const policy = {
    subject: `sha256:${hex}`,
    predicateTypes: [slsa1],
    kind: "provenance",
    builderIds: ["https://tekton.dev/chains/v2"],
  } as const;
  expect(verify(foundOf(statement, dsse(statement)), statement, trust, policy)).toEqual({ accepted: true, reasons: [] });
  expect(verify(foundOf(simple, raw(simple)), simple, trust, { kind: "image-signature", subject: `sha256:${hex}` }).accepted).toBe(true);
});

describe("signature", () => {
  test("over the bare statement, or with another payload type, is none", () => {
    expect(checks(foundOf(statement, raw(statement)), statement)).toEqual(["signature"]);
    expect(checks(foundOf(statement, dsse(statement, "application/json")), statement)).toEqual(["signature"]);
    expect(checks(foundOf(simple, dsse(simple)), simple)).toEqual(["signature"]);
  });

  test("any bit of payload or signature counts", () => {
    const bytes = dsse(statement);
    fc.assert(
      fc.property(fc.nat(statement.length * 8 - 1), fc.nat(bytes.length * 8 - 1), (inPayload, inSignature) => {
        const flipped = (source: Buffer, bit: number) => {
          const copy = Buffer.from(source);
          copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
          return copy;
        };
        const payload = flipped(statement, inPayload);
        expect(checks(foundOf(payload, bytes), payload)).toContain("signature");
        expect(checks(foundOf(statement, flipped(bytes, inSignature)), statement)).toEqual(["signature"]);
      }),
    );
  });

  test("found for another payload", () => {
    expect(checks({ ...foundOf(statement, dsse(statement)), digest: hex }, statement)).toEqual(["signature"]);
  });

  test("of a stranger, with and without a rotation", () => {
    const stranger = spki(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    const found = foundOf(statement, dsse(statement));
    expect(checks(found, statement, {}, { publicKeys: [stranger] })).toEqual(["signature"]);
    expect(checks(found, statement, {}, { publicKeys: [stranger, ...trust.publicKeys] })).toEqual([]);
    const verdict = verify(found, statement, { publicKeys: [stranger, stranger] }, {});
    expect(verdict.reasons[0]?.sentence).toContain("2 tried");
  });

  test("empty, unknown or unfit: a reason, never an exception", () => {
    expect(checks(foundOf(statement, Buffer.of()), statement)).toEqual(["signature"]);
    expect(checks(foundOf(statement, Buffer.from("x")), statement)).toEqual(["signature"]);
    expect(checks(foundOf(statement, dsse(statement), "toString" as never), statement)).toEqual(["signature"]);
    expect(checks(foundOf(statement, dsse(statement), "ecdsa-sha384"), statement)).toEqual(["signature"]);
    expect(checks(foundOf(statement, dsse(statement), "ecdsa-sha256"), statement)).toEqual([]);
  });

  test("nobody trusted, or a key that is none", () => {
    const found = foundOf(statement, dsse(statement));
    expect(checks(found, statement, {}, { publicKeys: [] })).toEqual(["identity"]);
    for (const pem of [
      "",
      "x",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
      pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ])
      expect(checks(found, statement, {}, { publicKeys: [pem] })).toEqual(["signature"]);
  });
});

describe("every kind of key that cosign and Tekton Chains sign with", () => {
  const message = preAuthEncoding(inTotoPayloadType, statement);
  const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const ed = generateKeyPairSync("ed25519").privateKey;
  const seed = Buffer.from(ed.export({ format: "jwk" }).d ?? "", "base64url");
  const p384 = ec("P-384");
  const p521 = ec("P-521");
  test.each<[SignatureAlgorithm, KeyObject, Uint8Array]>([
    ["ecdsa-sha256", p384, sign("sha256", message, p384)],
    ["ecdsa-sha384", p384, sign("sha384", message, p384)],
    ["ecdsa-sha256", p521, sign("sha256", message, p521)],
    ["ecdsa-sha512", p521, sign("sha512", message, p521)],
    ["rsa-pkcs1-sha256", rsa, sign("sha256", message, rsa)],
    ["rsa-pss-sha256", rsa, sign("sha256", message, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })],
    ["ed25519", ed, sign(null, message, ed)],
    ["ed25519ph", ed, ed25519ph.sign(message, seed)],
  ])("%s", (algorithm, key, bytes) => {
    const whom = { publicKeys: [spki(key)] };
    expect(checks(foundOf(statement, bytes, algorithm), statement, {}, whom)).toEqual([]);
    expect(checks(foundOf(statement, bytes), statement, {}, whom)).toEqual([]);
    expect(
      checks(
        foundOf(
          statement,
          bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte)),
        ),
        statement,
        {},
        whom,
      ),
    ).toEqual(["signature"]);
  });

  test("SHA-1, weak RSA and foreign curves are not among them", () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    const foreign = ec("secp256k1");
    for (const [key, hash] of [
      [weak, "sha256"],
      [foreign, "sha256"],
      [p384, "sha1"],
      [rsa, "sha1"],
    ] as const)
      expect(checks(foundOf(statement, sign(hash, message, key)), statement, {}, { publicKeys: [spki(key)] })).toEqual(["signature"]);
  });
});

test("every failed check is named, not only the first", () => {
  const policy = { subject: `sha256:${"b".repeat(64)}`, predicateTypes: ["x"], builderIds: ["y"] } as const;
  const { accepted, reasons } = verify(foundOf(statement, raw(statement)), statement, trust, policy);
  expect(accepted).toBe(false);
  expect(reasons.map(({ check }) => check)).toEqual(["signature", "subject", "predicate", "identity"]);
  expect(reasons.at(-1)?.sentence).toBe("the builder is https://tekton.dev/chains/v2, and y is wanted");
});

test.each([
  ["", ["signature", "predicate"]],
  ["{}", ["predicate"]],
  ["null", ["predicate"]],
  ["[1]", ["predicate"]],
  ['{"_type":"https://in-toto.io/Statement/v2","predicateType":"x"}', ["predicate"]],
  ['{"_type":"https://in-toto.io/Statement/v1"}', ["predicate"]],
  ['{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[null,{"digest":5},{"digest":{"sha256":1}}]}', []],
  ['{"critical":{"type":"another","image":{"docker-manifest-digest":"sha256:aa"}}}', ["predicate"]],
])("a soundly signed %j says what it says", (text, expected) => {
  const payload = Buffer.from(text);
  expect(checks(foundOf(payload, dsse(payload)), payload)).toEqual(expected);
});

test("another kind is the only reason where another kind is wanted", () => {
  expect(checks(foundOf(simple, raw(simple)), simple, { kind: "provenance", predicateTypes: [slsa1], builderIds: ["x"] })).toEqual([
    "predicate",
  ]);
  expect(checks(foundOf(simple, raw(simple)), simple, { predicateTypes: [slsa1], builderIds: ["x"] })).toEqual(["predicate", "identity"]);
  expect(checks(foundOf(statement, dsse(statement)), statement, { kind: "image-signature" })).toEqual(["predicate"]);
});

test("a statement about nothing is sound, and the wrong one for any subject", () => {
  const payload = Buffer.from('{"_type":"https://in-toto.io/Statement/v1","predicateType":"x"}');
  expect(checks(foundOf(payload, dsse(payload)), payload)).toEqual([]);
  expect(checks(foundOf(payload, dsse(payload)), payload, { subject: `sha256:${hex}` })).toEqual(["subject"]);
});

test("a statement about another run is for that one only", () => {
  const of = (invocationId: string) =>
    Buffer.from(
      JSON.stringify({
        _type: "https://in-toto.io/Statement/v1",
        predicateType: slsa1,
        predicate: { runDetails: { metadata: { invocationId } } },
      }),
    );
  const [mine, other] = [of("uid-1"), of("uid-2")];
  expect(checks(foundOf(mine, dsse(mine)), mine, { invocationId: "uid-1" })).toEqual([]);
  expect(checks(foundOf(other, dsse(other)), other, { invocationId: "uid-1" })).toEqual(["subject"]);
  expect(checks(foundOf(statement, dsse(statement)), statement, { invocationId: "uid-1" })).toEqual([]);
});

test("invalid UTF-8 says nothing", () => {
  const payload = Buffer.concat([statement.subarray(0, -1), Buffer.of(0xff), statement.subarray(-1)]);
  expect(checks(foundOf(payload, dsse(payload)), payload)).toEqual(["predicate"]);
});

test("no input makes it throw, and none is accepted by chance", () => {
  const anything = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array(),
  );
  fc.assert(
    fc.property(anything, fc.uint8Array(), fc.array(fc.string()), (payload, bytes, publicKeys) => {
      expect(verify(foundOf(payload, bytes), payload, { publicKeys: [...publicKeys, ...trust.publicKeys] }, {}).accepted).toBe(false);
    }),
  );
});

test("keys alone load no verifier of sigstore, and neither does the package itself", () => {
  const script = `
    import { createRequire } from "node:module";
    import { trustedRootFrom, verify } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("@sigstore/verify") || path.includes("@sigstore/protobuf-specs")).length;
    const found = { digest: "", signature: { bytes: Buffer.of(1) }, evidence: [] };
    const payload = Buffer.from("{}");
    found.digest = ${JSON.stringify(sha256(Buffer.from("{}")))};
    const keys = { publicKeys: [${JSON.stringify(trust.publicKeys[0])}] };
    verify(found, payload, keys, {});
    const before = loaded();
    try { trustedRootFrom("{}"); } catch {}
    console.log(before, loaded() > 0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "0 true\n", stderr: "" });
});

describe("trustFromPem", () => {
  test("takes one or several public keys", () => {
    const [one] = trust.publicKeys;
    expect(trustFromPem(one ?? "")).toEqual(trust);
    expect(trustFromPem(`# old\n${one}# new\n${one}`).publicKeys).toHaveLength(2);
  });

  test.each([
    ["", "no public key"],
    [pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "private key"],
    ["-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nx\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----", "private key"],
    ["-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", '"CERTIFICATE"'],
  ])("%#: anything else is named", (text, sentence) => {
    expect(() => trustFromPem(text)).toThrow(sentence);
    expect(() => trustFromPem(text)).toThrow(TypeError);
  });
});

const golden = new URL("../../../../shared/golden/oci/", import.meta.url);
const there = existsSync(golden);
describe.skipIf(!there)(`recorded layers of Tekton Chains and cosign${there ? "" : " — SKIPPED: ../shared/golden is not there"}`, () => {
  const read = (path: string) => readFileSync(new URL(path, golden));
  const subject = () => read("subject/digest.txt").toString().trim();
  const recorded = ["chains/dsse-cosignkey", "chains/dsse-cosignkey-tlog", "chains/dsse-missing-subject-image"];
  const layers = recorded.flatMap((dir) => [`${dir}/att`, `${dir}/sig`]);
  test.each(layers)("%s is accepted, and with another key refused", (dir) => {
    const manifest = JSON.parse(read(`${dir}/manifest.json`).toString());
    const bytes = read(`${dir}/layer0.json`);
    const found = foundInLayer({ ...manifest.layers[0], bytes });
    const payload = dir.endsWith("/att") ? read(`${dir}/layer0.decoded-payload.json`) : bytes;
    if (!found) throw new Error("nothing found");
    const cosign = trustFromPem(read("keys/cosign.pub").toString());
    const wanted = dir.includes("missing-subject") ? {} : { subject: `sha256:${subjectHex()}` };
    expect(verify(found, payload, cosign, wanted)).toEqual({ accepted: true, reasons: [] });
    expect(checks(found, payload, wanted, trust)).toEqual(["signature"]);
    expect(checks(found, payload, { subject: `sha256:${hex}` }, cosign)).toEqual(["subject"]);
  });
  const subjectHex = () => subject().replace("sha256:", "");
});
