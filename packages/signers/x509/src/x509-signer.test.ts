import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { envelopeText, inTotoPayloadType, keyidOf, preAuthEncoding } from "@countersign/in-toto-attestation";
import { ed25519ph } from "@noble/curves/ed25519.js";
import { describe, expect, test } from "vitest";
import { sealCosignKey } from "./cosign-key.ts";
import { generateKeyPair } from "./generate-key-pair.ts";
import type { KeyFiles, KeySource } from "./key-source.ts";
import { describeKey, x509Signer } from "./x509-signer.ts";

const call = { signal: new AbortController().signal };
const message = Buffer.from("a message");
const from = (files: KeyFiles["files"], version = "1"): KeySource => ({ place: "/etc/keys", current: async () => ({ version, files }) });
const der = (key: KeyObject) => key.export({ type: "pkcs8", format: "der" });
const pem = (key: KeyObject) => Buffer.from(key.export({ type: "pkcs8", format: "pem" }));
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const sealed = async (key: KeyObject, password = "pw") => ({
  "cosign.key": Buffer.from(await sealCosignKey(der(key), Buffer.from(password), 32_768)),
  "cosign.password": Buffer.from(password),
});
const sign = (files: KeyFiles["files"]) => x509Signer({ keys: from(files) }).sign(message, call);

describe("x509.pem", () => {
  test.each(["secp224r1", "prime256v1", "secp384r1", "secp521r1"])("%s signs over SHA-256, twice the same", async (curve) => {
    const key = ec(curve);
    const [one, two] = [await sign({ "x509.pem": pem(key) }), await sign({ "x509.pem": pem(key) })];
    expect(one).toEqual(two);
    expect(one.algorithm).toBe("ecdsa-sha256");
    expect(one.publicKey).toBe(createPublicKey(key).export({ type: "spki", format: "pem" }));
    expect(verify("sha256", message, one.publicKey, one.bytes)).toBe(true);
  });

  test("text before the block and blocks after it do not count", async () => {
    const [key, other] = [ec("prime256v1"), ec("prime256v1")];
    const file = Buffer.concat([Buffer.from("Bag Attributes\n  friendlyName: x\n"), pem(key), pem(other)]);
    const { bytes } = await sign({ "x509.pem": file });
    expect(verify("sha256", message, createPublicKey(key), bytes)).toBe(true);
  });

  test("wins over cosign.key, and a broken one is no reason to take the other", async () => {
    const cosign = await sealed(ec("prime256v1"));
    const key = ec("prime256v1");
    const { publicKey } = await sign({ ...cosign, "x509.pem": pem(key) });
    expect(publicKey).toBe(createPublicKey(key).export({ type: "spki", format: "pem" }));
    await expect(sign({ ...cosign, "x509.pem": Buffer.from("") })).rejects.toMatchObject({ code: "sign.key-unreadable" });
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  test.each([
    ["junk", Buffer.from("junk"), "sign.key-unreadable", /no PEM block/],
    ["damaged", Buffer.from("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "sign.key-unreadable", /no PKCS#8/],
    [
      "SEC1",
      Buffer.from(ec("prime256v1").export({ type: "sec1", format: "pem" })),
      "sign.key-unsupported",
      /"EC PRIVATE KEY".*openssl pkcs8/,
    ],
    ["RSA", pem(rsa), "sign.key-unsupported", /type rsa 2048/],
    ["Ed25519", pem(generateKeyPairSync("ed25519").privateKey), "sign.key-unsupported", /type ed25519/],
    ["secp256k1", pem(ec("secp256k1")), "sign.key-unsupported", /secp256k1/],
  ])("%s is refused", async (_, file, code, sentence) => {
    await expect(sign({ "x509.pem": file })).rejects.toMatchObject({ code, retry: "hold", message: expect.stringMatching(sentence) });
    await expect(sign({ "x509.pem": file })).rejects.toThrow("/etc/keys/x509.pem");
  });
});

describe("cosign.key", () => {
  test.each([
    ["prime256v1", "ecdsa-sha256", "sha256"],
    ["secp384r1", "ecdsa-sha384", "sha384"],
    ["secp521r1", "ecdsa-sha512", "sha512"],
  ])("%s signs with %s, twice the same", async (curve, algorithm, hash) => {
    const signer = x509Signer({ keys: from(await sealed(ec(curve))) });
    const [one, two] = [await signer.sign(message, call), await signer.sign(message, call)];
    expect(one).toEqual(two);
    expect(one.algorithm).toBe(algorithm);
    expect(verify(hash, message, one.publicKey, one.bytes)).toBe(true);
  });

  test("RSA signs with PKCS#1 v1.5 and SHA-256", async () => {
    const one = await sign(await sealed(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey));
    expect(one.algorithm).toBe("rsa-pkcs1-sha256");
    expect(verify("sha256", message, one.publicKey, one.bytes)).toBe(true);
  });

  test("Ed25519 signs prehashed", async () => {
    const key = generateKeyPairSync("ed25519").privateKey;
    const one = await sign(await sealed(key));
    expect(one.algorithm).toBe("ed25519ph");
    const point = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
    expect(ed25519ph.verify(one.bytes, message, point)).toBe(true);
    expect(verify(null, message, one.publicKey, one.bytes)).toBe(false);
  });

  test("other keys are refused", async () => {
    const odd = [ec("secp224r1"), generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey];
    for (const key of odd) await expect(sign(await sealed(key))).rejects.toMatchObject({ code: "sign.key-unsupported", retry: "hold" });
  });

  test("a wrong password names its likeliest reason", async () => {
    const files = await sealed(ec("prime256v1"));
    await expect(sign({ ...files, "cosign.password": Buffer.from("pw\n") })).rejects.toMatchObject({
      code: "sign.password-wrong",
      retry: "hold",
      message: expect.stringContaining("printf %s"),
    });
    await expect(sign({ ...files, "cosign.password": Buffer.from("other") })).rejects.toMatchObject({ code: "sign.password-wrong" });
  });

  test("a password file is wanted, even an empty one", async () => {
    const files = await sealed(ec("prime256v1"), "");
    await expect(sign(files)).resolves.toMatchObject({ algorithm: "ecdsa-sha256" });
    await expect(sign({ "cosign.key": files["cosign.key"] })).rejects.toMatchObject({ code: "sign.key-missing" });
  });

  const json = (value: unknown) =>
    Buffer.from(
      `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${Buffer.from(JSON.stringify(value)).toString("base64")}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`,
    );
  const kdf = { name: "scrypt", params: { N: 65_536, r: 8, p: 1 }, salt: "AAAA" };
  const cipher = { name: "nacl/secretbox", nonce: Buffer.alloc(24).toString("base64") };
  test.each([
    ["no PEM", Buffer.from("x"), "sign.key-unreadable"],
    ["another PEM type", pem(ec("prime256v1")), "sign.key-unsupported"],
    [
      "no JSON",
      Buffer.from("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED COSIGN PRIVATE KEY-----"),
      "sign.key-unreadable",
    ],
    ["JSON null", json(null), "sign.key-unsupported"],
    [
      "a strength cosign refuses",
      json({ kdf: { ...kdf, params: { N: 2 ** 20, r: 8, p: 1 } }, cipher, ciphertext: "AAAA" }),
      "sign.key-unsupported",
    ],
    ["another r", json({ kdf: { ...kdf, params: { N: 65_536, r: 16, p: 1 } }, cipher, ciphertext: "AAAA" }), "sign.key-unsupported"],
    ["another cipher", json({ kdf, cipher: { ...cipher, name: "aes" }, ciphertext: "AAAA" }), "sign.key-unsupported"],
    ["no ciphertext", json({ kdf, cipher }), "sign.key-unreadable"],
    ["a short nonce", json({ kdf, cipher: { ...cipher, nonce: "AAAA" }, ciphertext: "A".repeat(40) }), "sign.key-unreadable"],
  ])("%s is refused", async (_, file, code) => {
    await expect(sign({ "cosign.key": file, "cosign.password": Buffer.from("") })).rejects.toMatchObject({ code, retry: "hold" });
  });
});

test("no key at all", async () => {
  await expect(sign({})).rejects.toMatchObject({ code: "sign.key-missing", retry: "hold", message: expect.stringContaining("/etc/keys") });
});

test("a key is decrypted once per version, whoever waits for it", async () => {
  const [one, two] = [await sealed(ec("prime256v1")), await sealed(ec("prime256v1"))];
  let reads = 0;
  let now = one;
  const keys: KeySource = {
    current: async () => ({
      version: now === one ? "1" : "2",
      get files() {
        reads++;
        return {
          get "cosign.key"() {
            opened++;
            return now["cosign.key"];
          },
          "cosign.password": now["cosign.password"],
        };
      },
    }),
  };
  let opened = 0;
  const signer = x509Signer({ keys });
  // Another signer of the same source, as a plan with both kinds of routes has it, opens nothing anew.
  const other = x509Signer({ keys, deterministic: false });
  const first = await Promise.all([signer.sign(message, call), other.sign(message, call), signer.sign(message, call)]);
  expect(new Set(first.map(({ publicKey }) => publicKey)).size).toBe(1);
  expect(opened).toBe(1);
  now = two;
  const after = await signer.sign(message, call);
  expect(after.publicKey).not.toBe(first[0]?.publicKey);
  expect(opened).toBe(2);
  expect(reads).toBe(4);
});

test("scrypt does not hold up the event loop", async () => {
  const files = await sealed(ec("prime256v1"));
  let ticks = 0;
  const clock = setInterval(() => ticks++, 5);
  await sign(files);
  clearInterval(clock);
  expect(ticks).toBeGreaterThan(3);
});

test("an aborted call signs nothing", async () => {
  const signal = AbortSignal.abort(new Error("stop"));
  await expect(x509Signer({ keys: from({ "x509.pem": pem(ec("prime256v1")) }) }).sign(message, { signal })).rejects.toThrow("stop");
});

describe("not deterministic", () => {
  test("signs twice differently, and knows both again", async () => {
    const signer = x509Signer({ keys: from({ "x509.pem": pem(ec("prime256v1")) }), deterministic: false });
    const [one, two] = [await signer.sign(message, call), await signer.sign(message, call)];
    expect(Buffer.compare(one.bytes, two.bytes)).not.toBe(0);
    const foreign = await sign({ "x509.pem": pem(ec("prime256v1")) });
    expect(await signer.recognise?.(message, [foreign, { bytes: two.bytes }], call)).toEqual(two);
    expect(await signer.recognise?.(Buffer.from("another"), [one, two], call)).toBeUndefined();
    expect(await signer.recognise?.(message, [{ bytes: Buffer.of() }], call)).toBeUndefined();
  });

  test("a deterministic signer has no need to", () => {
    expect(x509Signer({ keys: from({}) }).recognise).toBeUndefined();
  });
});

test("the key that would sign, described", async () => {
  expect(await describeKey(from({ "x509.pem": pem(ec("secp384r1")) }))).toEqual({
    file: "x509.pem",
    algorithm: "ecdsa-sha256",
    publicKey: expect.stringContaining("BEGIN PUBLIC KEY"),
  });
  expect(await describeKey(from(await sealed(ec("secp384r1"))))).toMatchObject({ warning: expect.stringContaining("ecdsa-sha384") });
});

test("a generated pair signs", async () => {
  const pair = await generateKeyPair("pässword");
  expect(pair["cosign.key"]).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/);
  const one = await sign({ "cosign.key": Buffer.from(pair["cosign.key"]), "cosign.password": Buffer.from("pässword") });
  expect(one.publicKey).toBe(pair["cosign.pub"]);
  expect(verify("sha256", message, pair["cosign.pub"], one.bytes)).toBe(true);
});

test("neither key nor password is in any error", async () => {
  const canary = "canary-3f9a";
  const key = ec("prime256v1");
  const inside = der(key).toString("base64");
  const files = await sealed(key, canary);
  const bare = Buffer.from(
    `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${Buffer.from(`${canary}${inside}`).toString("base64")}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`,
  );
  const attempts: KeyFiles["files"][] = [
    { ...files, "cosign.password": Buffer.from(`${canary}\n`) },
    { "cosign.key": bare, "cosign.password": Buffer.from(canary) },
    { "cosign.key": Buffer.from(inside), "cosign.password": Buffer.from(canary) },
    { "x509.pem": Buffer.from(inside) },
    { "x509.pem": Buffer.from(`-----BEGIN PRIVATE KEY-----\n${inside.slice(0, 60)}\n-----END PRIVATE KEY-----`) },
    { "x509.pem": Buffer.from(`-----BEGIN EC PRIVATE KEY-----\n${inside}\n-----END EC PRIVATE KEY-----`) },
  ];
  for (const attempt of attempts) {
    const error: unknown = await sign(attempt).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const { message: text, stack = "", cause = "" } = error as Error;
    const all = `${text}\n${stack}\n${cause}\n${JSON.stringify(error)}`;
    for (const secret of [canary, inside.slice(0, 24), inside.slice(-24), Buffer.from(inside).toString("base64").slice(8, 40)])
      expect(all).not.toContain(secret);
  }
}, 20_000);

const golden = new URL("../../../../../shared/golden/oci/", import.meta.url);
const there = existsSync(golden);
describe.skipIf(!there)(`recorded keys and layers${there ? "" : " — SKIPPED: ../shared/golden is not there"}`, () => {
  const read = (path: string) => readFileSync(new URL(path, golden));
  const plain = () => createPrivateKey(read("keys/cosign.key.decrypted-pkcs8.pem"));

  test.each([
    ["cosign.key", "pw"],
    ["cosign-legacy-N32768.key", "pw"],
    ["cosign-standard-N65536.key", "pw"],
    ["cosign-owasp-N131072.key", "pw"],
    ["cosign-empty-password.key", ""],
  ])("%s opens", async (name, password) => {
    const { publicKey } = await sign({ "cosign.key": read(`keys/${name}`), "cosign.password": Buffer.from(password) });
    if (name !== "cosign-empty-password.key") expect(publicKey).toBe(createPublicKey(plain()).export({ type: "spki", format: "pem" }));
    expect(publicKey).toContain("BEGIN PUBLIC KEY");
  });

  test("the envelope that Tekton Chains wrote with rsa2048.pem, byte for byte", async () => {
    const payload = read("chains/dsse-rsa2048-deterministic-tlog/att/layer0.decoded-payload.json");
    const signer = x509Signer({ keys: from(await sealed(createPrivateKey(read("keys/rsa2048.pem")))) });
    const { bytes, publicKey } = await signer.sign(preAuthEncoding(inTotoPayloadType, payload), call);
    const text = envelopeText(inTotoPayloadType, payload, { keyid: keyidOf(publicKey), bytes });
    expect(text).toBe(read("chains/dsse-rsa2048-deterministic-tlog/att/layer0.json").toString());
  });
});
