import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify, X509Certificate } from "node:crypto";
import { CountersignError, type FoundSignature } from "@countersign/core";
import { canary, type Fulcio, fulcio, misbehave } from "@countersign/testing";
import { FulcioSigner } from "@sigstore/sign";
import { afterEach, describe, expect, test } from "vitest";
import { fromSigstore } from "./from-sigstore.ts";
import type { SigstoreSigner } from "./sigstore-signer.ts";

const call = { signal: new AbortController().signal };
const message = Buffer.from("a message");
const pem = (key: KeyObject) => createPublicKey(key).export({ type: "spki", format: "pem" }).toString();

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function started(): Promise<Fulcio> {
  const ca = await fulcio();
  open.push(ca);
  return ca;
}

/** As @sigstore/sign is set up for keyless signing: a certificate for each signature. */
const certified = (ca: Fulcio, { token = () => ca.issuer.token(), url = ca.url } = {}): SigstoreSigner =>
  new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: async () => token() }, timeout: 2_000 });

function keyed(privateKey: KeyObject, hash: string | null = "sha256"): SigstoreSigner {
  return { sign: async (data) => ({ signature: sign(hash, data, privateKey), key: { $case: "publicKey", publicKey: pem(privateKey) } }) };
}
const ec = (namedCurve = "P-256") => generateKeyPairSync("ec", { namedCurve }).privateKey;

describe("sign", () => {
  test("a certificate, its key, the chain that was given", async () => {
    const ca = await started();
    const signer = fromSigstore(certified(ca), { name: "sigstore-js", chain: ca.certificates.join("") });
    const { bytes, algorithm, publicKey, certificate = "", chain } = await signer.sign(message, call);
    expect([signer.name, algorithm, chain]).toEqual(["sigstore-js", "ecdsa-sha256", ca.certificates.join("")]);
    expect(new X509Certificate(certificate).publicKey.equals(createPublicKey(publicKey))).toBe(true);
    expect(verify("sha256", message, publicKey, bytes)).toBe(true);
  });

  test("the algorithm is the one that verifies", async () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const pss: SigstoreSigner = {
      sign: async (data) => ({
        signature: sign("sha256", data, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
        key: { $case: "publicKey", publicKey: pem(rsa) },
      }),
    };
    const cases = [
      [keyed(ec()), "ecdsa-sha256"],
      [keyed(ec("P-384"), "sha384"), "ecdsa-sha384"],
      [keyed(ec("P-384")), "ecdsa-sha256"],
      [keyed(ec("P-521"), "sha512"), "ecdsa-sha512"],
      [keyed(rsa), "rsa-pkcs1-sha256"],
      [pss, "rsa-pss-sha256"],
      [keyed(generateKeyPairSync("ed25519").privateKey, null), "ed25519"],
    ] as const;
    for (const [signer, algorithm] of cases) expect((await fromSigstore(signer).sign(message, call)).algorithm).toBe(algorithm);
  });

  test.each([
    ["another message", (key: KeyObject) => ({ signature: sign("sha256", Buffer.from("x"), key), publicKey: pem(key) })],
    ["another key", (key: KeyObject) => ({ signature: sign("sha256", message, key), publicKey: pem(ec()) })],
    ["a hash that does not fit", (key: KeyObject) => ({ signature: sign("sha512", message, key), publicKey: pem(key) })],
    ["no key", (key: KeyObject) => ({ signature: sign("sha256", message, key), publicKey: "junk" })],
  ])("%s never leaves", async (_, make) => {
    const { signature, publicKey } = make(ec());
    const signer: SigstoreSigner = { sign: async () => ({ signature, key: { $case: "publicKey", publicKey } }) };
    await expect(fromSigstore(signer).sign(message, call)).rejects.toMatchObject({ code: "sign.faulty", retry: "counted" });
  });
});

describe("failures are told by their codes alone", () => {
  test.each([
    [503, "sign.unreachable", "wait"],
    [429, "sign.unreachable", "wait"],
    [401, "sign.refused", "hold"],
  ])("a Fulcio that answers %i", async (status, code, retry) => {
    const ca = await started();
    const proxy = await misbehave(ca.url);
    open.push(proxy);
    proxy.fault = () => ({ kind: "status", status });
    const failure = await fromSigstore(certified(ca, { url: proxy.url }))
      .sign(message, call)
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ code, retry, message: expect.stringContaining(`CA_CREATE_SIGNING_CERTIFICATE_ERROR, ${status}`) });
    expect(JSON.stringify([(failure as Error).message, (failure as Error).stack, (failure as Error).cause ?? ""])).not.toContain(canary);
  });

  test("a Fulcio that is not there is waited for", async () => {
    const ca = await started();
    await expect(fromSigstore(certified(ca, { url: "http://127.0.0.1:1" })).sign(message, call)).rejects.toMatchObject({
      code: "sign.unreachable",
      retry: "wait",
    });
  });

  test("a token that cannot be parsed stands in the library's message, and not in ours", async () => {
    const ca = await started();
    const token = "canary-token.of-two-parts";
    const theirs = await certified(ca, { token: () => token })
      .sign(message)
      .catch((error: Error) => error.message);
    expect(theirs).toContain(token);
    const ours = await fromSigstore(certified(ca, { token: () => token }))
      .sign(message, call)
      .catch((error: Error) => error);
    expect(ours).toMatchObject({ code: "sign.failed", retry: "counted" });
    expect(JSON.stringify([(ours as Error).message, (ours as Error).stack, (ours as Error).cause ?? ""])).not.toContain("canary");
  });

  test("one of ours stays as it is; a code that is no word is not told", async () => {
    const held = new CountersignError("sign.key-missing", "no key", { retry: "hold" });
    await expect(fromSigstore({ sign: () => Promise.reject(held) }).sign(message, call)).rejects.toBe(held);
    const odd = Object.assign(new Error("x"), { code: "canary code", cause: { code: "canary_code" } });
    const failure = await fromSigstore({ sign: () => Promise.reject(odd) }, { name: "odd" })
      .sign(message, call)
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ code: "sign.failed", message: "the signer odd failed" });
  });

  test("an abort is prompt, though the signer never ends", async () => {
    const stop = new AbortController();
    const endless = fromSigstore({ sign: () => new Promise(() => undefined) }).sign(message, { signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(endless).rejects.toThrow("stopped");
  });
});

describe("recognise", () => {
  const bare = ({ bytes, certificate }: FoundSignature): FoundSignature => ({ bytes, ...(certificate && { certificate }) });

  test("what this process signed, under whatever certificate, while that lasts or when it was seen", async () => {
    const ca = await started();
    let time = Date.now();
    const signer = fromSigstore(certified(ca), { now: () => time, chain: ca.certificates.join("") });
    const [one, other] = [await signer.sign(message, call), await signer.sign(message, call)];
    expect(one.certificate).not.toBe(other.certificate);
    expect(await signer.recognise?.(message, [bare(one)], call)).toEqual(one);
    expect(await signer.recognise?.(Buffer.from("x"), [bare(one)], call)).toBeUndefined();
    time += 11 * 60_000;
    expect(await signer.recognise?.(message, [bare(one)], call)).toBeUndefined();
    const seenAt = Math.ceil(Date.now() / 1000);
    expect(await signer.recognise?.(message, [{ ...bare(one), seenAt }], call)).toEqual(one);
    expect(await signer.recognise?.(message, [{ ...bare(one), seenAt: seenAt + 3600 }], call)).toBeUndefined();
    // Without its certificate nobody could say until when it was good.
    expect(await signer.recognise?.(message, [{ bytes: one.bytes, seenAt }], call)).toBeUndefined();
    const restarted = fromSigstore(certified(ca));
    expect(await restarted.recognise?.(message, [{ ...bare(one), seenAt }], call)).toBeUndefined();
  });

  test("a key that stays is known after a restart when it is named", async () => {
    const key = ec();
    const mine = await fromSigstore(keyed(key)).sign(message, call);
    expect(await fromSigstore(keyed(key)).recognise?.(message, [bare(mine)], call)).toBeUndefined();
    const knowing = fromSigstore(keyed(key), { publicKey: `\n${pem(key)}` });
    expect(await knowing.recognise?.(message, [{ bytes: Buffer.of(1) }, bare(mine)], call)).toEqual(mine);
    expect(await knowing.recognise?.(message, [bare(await fromSigstore(keyed(ec())).sign(message, call))], call)).toBeUndefined();
    const same = fromSigstore(keyed(key));
    await same.sign(Buffer.from("x"), call);
    expect(await same.recognise?.(message, [bare(mine)], call)).toEqual(mine);
  });

  test("a key that stays under certificates that do not", async () => {
    const [ca, key] = [await started(), ec()];
    const make = () =>
      new FulcioSigner({ fulcioBaseURL: ca.url, identityProvider: { getToken: async () => ca.issuer.token() }, keyHolder: keyed(key) });
    const mine = await fromSigstore(make()).sign(message, call);
    expect(await fromSigstore(make()).recognise?.(message, [bare(mine)], call)).toBeUndefined();
    expect(await fromSigstore(make(), { publicKey: pem(key) }).recognise?.(message, [bare(mine)], call)).toEqual(mine);
  });

  test("a key that is none is a mistake at once", () => {
    expect(() => fromSigstore(keyed(ec()), { publicKey: "junk" })).toThrow();
  });

  test("only so many are remembered, and never at the cost of the one that was named", async () => {
    const key = ec();
    const others: SigstoreSigner = { sign: async (data) => keyed(ec()).sign(data) };
    const signer = fromSigstore(others, { publicKey: pem(key) });
    const first = await signer.sign(message, call);
    for (let index = 0; index < 1000; index++) await signer.sign(message, call);
    expect(await signer.recognise?.(message, [bare(first)], call)).toBeUndefined();
    expect(await signer.recognise?.(message, [bare(await fromSigstore(keyed(key)).sign(message, call))], call)).toBeDefined();
  });
});
