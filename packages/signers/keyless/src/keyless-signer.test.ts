import { createHash, createPublicKey, generateKeyPairSync, sign as nodeSign, verify, X509Certificate } from "node:crypto";
import { type Http, http } from "@countersign/http";
import {
  type FakeClock,
  type Fulcio,
  type FulcioOptions,
  fakeClock,
  fulcio,
  type Misbehaving,
  misbehave,
  oidcIssuer,
} from "@countersign/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type KeylessOptions, keylessSigner } from "./keyless-signer.ts";
import type { TokenSource } from "./token-source.ts";
import type { KeylessTrust } from "./trust.ts";

const call = { signal: new AbortController().signal };
const message = Buffer.from("a message");
const minutes = (count: number) => count * 60_000;

let clock: FakeClock;
let net: Http;
const open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  clock = fakeClock();
  net = http({ backOffMs: () => 1 });
  open.push(net);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function started(options: FulcioOptions = {}): Promise<Fulcio> {
  const ca = await fulcio({ now: clock.now, ...options });
  open.push(ca);
  return ca;
}
async function behind(ca: Fulcio): Promise<Misbehaving> {
  const proxy = await misbehave(ca.url);
  open.push(proxy);
  return proxy;
}

const freshTokens =
  (ca: Fulcio, claims: () => object = () => ({})): TokenSource =>
  async () => ({ token: ca.issuer.token({ ...claims() }), source: "the test" });
const trusting = (ca: Fulcio): KeylessTrust => ({
  certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }],
  ctLogs: [...ca.ctLogs],
});
const signerAt = (ca: Fulcio, options: Partial<KeylessOptions> = {}) =>
  keylessSigner({ url: ca.url, http: net, tokens: freshTokens(ca), now: clock.now, ...options });

describe("a signature", () => {
  test("verifies with the key of its certificate, and carries the chain as the CA sent it", async () => {
    const ca = await started();
    const {
      bytes,
      algorithm,
      publicKey,
      certificate = "",
      chain,
    } = await signerAt(ca, { trust: async () => trusting(ca) }).sign(message, call);
    expect(algorithm).toBe("ecdsa-sha256");
    expect(verify("sha256", message, publicKey, bytes)).toBe(true);
    expect(new X509Certificate(certificate).publicKey.equals(createPublicKey(publicKey))).toBe(true);
    expect(chain).toBe(ca.certificates.join(""));
    expect(ca.seen.map(({ path }) => path)).toEqual(["/api/v2/signingCert"]);
  });

  test("a thousand need one certificate, however many ask at once", async () => {
    const ca = await started();
    const signer = signerAt(ca);
    const all = await Promise.all(Array.from({ length: 1000 }, (_, index) => signer.sign(Buffer.from(`${index}`), call)));
    expect([ca.issued, new Set(all.map(({ certificate }) => certificate)).size]).toEqual([1, 1]);
  });

  test("the name is the one that Tekton Chains reports", async () => {
    expect(signerAt(await started()).name).toBe("x509");
  });

  test("a Fulcio below a base path", async () => {
    const ca = await started();
    const proxy = await behind(ca);
    await expect(signerAt(ca, { url: `${proxy.url}/base/` }).sign(message, call)).rejects.toMatchObject({ code: "sign.ca-refused" });
    expect(proxy.requests[0]?.path).toBe("/base/api/v2/signingCert");
  });

  test("every algorithm of tokens is taken", async () => {
    const ca = await started();
    for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
      const tokens = async () => ({ token: ca.issuer.token({}, { algorithm }), source: "the test" });
      await expect(signerAt(ca, { tokens }).sign(message, call)).resolves.toMatchObject({ algorithm: "ecdsa-sha256" });
    }
  });

  test("an email address is proven to be ours, not the subject", async () => {
    const issuer = await oidcIssuer({ now: clock.now });
    open.push(issuer);
    const ca = await started({ issuers: { [issuer.url]: "email" } });
    const tokens = async () => ({ token: issuer.token({ email: "a@b.test", email_verified: true }), source: "the test" });
    const { certificate = "" } = await signerAt(ca, { tokens }).sign(message, call);
    expect(new X509Certificate(certificate).subjectAltName).toBe("email:a@b.test");
  });
});

describe("the legacy API", () => {
  test("is asked where there is no other, and from then on alone", async () => {
    const ca = await started();
    ca.mood = "no-v2";
    const signer = signerAt(ca, { trust: async () => trusting(ca) });
    const { chain } = await signer.sign(message, call);
    expect(chain).toBe(ca.certificates.join("").trimEnd());
    await clock.advance(minutes(10));
    await signer.sign(message, call);
    expect(ca.seen.map(({ path }) => path)).toEqual(["/api/v2/signingCert", "/api/v1/signingCert", "/api/v1/signingCert"]);
  });
});

describe("renewal", () => {
  test("a minute before the end, and not sooner", async () => {
    const ca = await started();
    const signer = signerAt(ca);
    await signer.sign(message, call);
    await clock.advance(minutes(9) - 1);
    await signer.sign(message, call);
    expect(ca.issued).toBe(1);
    await clock.advance(1);
    const { certificate = "" } = await signer.sign(message, call);
    expect(ca.issued).toBe(2);
    expect(new Date(new X509Certificate(certificate).validTo).getTime()).toBe(clock.now() + minutes(10));
  });

  test("in the middle of a queue: no failure, no signature under a certificate that is over", async () => {
    const ca = await started();
    const signer = signerAt(ca);
    for (let index = 0; index < 240; index++) {
      const { certificate = "" } = await signer.sign(Buffer.from(`${index}`), call);
      expect(new Date(new X509Certificate(certificate).validTo).getTime() - clock.now()).toBeGreaterThanOrEqual(minutes(1));
      await clock.advance(15_000);
    }
    expect(ca.issued).toBe(7);
  });

  test("a certificate that lasts no longer than the margin serves for half of its life", async () => {
    const ca = await started({ lifetimeMs: 40_000 });
    const signer = signerAt(ca);
    for (let index = 0; index < 20; index++) {
      await signer.sign(message, call);
      await clock.advance(1_000);
    }
    expect(ca.issued).toBe(1);
    await signer.sign(message, call);
    expect(ca.issued).toBe(2);
  });

  test("somebody else in the token file: the next signature is under a new name", async () => {
    const ca = await started();
    let who = "https://example.test/a";
    const tokens: TokenSource = async () => ({ token: ca.issuer.token({ sub: who }), source: "the test", cheap: true });
    const signer = signerAt(ca, { tokens });
    const nameNow = async () => new X509Certificate((await signer.sign(message, call)).certificate ?? "").subjectAltName;
    expect(await nameNow()).toBe("URI:https://example.test/a");
    await clock.advance(10_000);
    expect([await nameNow(), ca.issued]).toEqual(["URI:https://example.test/a", 1]);
    who = "https://example.test/b";
    expect(await nameNow()).toBe("URI:https://example.test/a");
    await clock.advance(10_000);
    expect([await nameNow(), ca.issued]).toEqual(["URI:https://example.test/b", 2]);
  });

  test("a token source that costs requests is asked for certificates only", async () => {
    const ca = await started();
    let asked = 0;
    const signer = signerAt(ca, {
      tokens: async (call) => {
        asked += 1;
        return freshTokens(ca)(call);
      },
    });
    for (let index = 0; index < 17; index++) {
      await signer.sign(message, call);
      await clock.advance(30_000);
    }
    expect([asked, ca.issued]).toEqual([1, 1]);
  });
});

describe("clocks", () => {
  const skewed = async (ms: number, options: FulcioOptions = {}) => {
    const ca = await fulcio({ now: () => clock.now() - ms, ...options });
    open.push(ca);
    return ca;
  };

  test.each([minutes(5), minutes(-5), minutes(9), 0])("%i ms ahead of Fulcio: signed, and renewed in time by both clocks", async (ms) => {
    const ca = await skewed(ms);
    const signer = signerAt(ca, { trust: async () => trusting(ca) });
    for (let index = 0; index < 60; index++) {
      const { certificate = "" } = await signer.sign(message, call);
      const { validFrom, validTo } = new X509Certificate(certificate);
      const theirs = clock.now() - ms;
      expect(new Date(validFrom).getTime() <= theirs && theirs + 30_000 <= new Date(validTo).getTime()).toBe(true);
      await clock.advance(15_000);
    }
    expect(ca.issued).toBeLessThan(50);
  });

  test.each([
    [minutes(15), "15 min ahead of"],
    [minutes(-15), "15 min behind"],
  ])("%i ms: a hold that says what to do", async (ms, words) => {
    const ca = await skewed(ms);
    const tokens: TokenSource = async () => ({ token: ca.issuer.token({}, { lifeMs: minutes(60) }), source: "the test" });
    await expect(signerAt(ca, { tokens }).sign(message, call)).rejects.toMatchObject({
      code: "sign.clock-skewed",
      retry: "hold",
      message: expect.stringContaining(`this machine's clock is ${words}`),
    });
  });

  test("a clock that was set back gets a new certificate", async () => {
    const ca = await started();
    let ours = clock.now();
    const signer = signerAt(ca, { now: () => ours });
    await signer.sign(message, call);
    ours -= minutes(3);
    await signer.sign(message, call);
    expect(ca.issued).toBe(2);
  });
});

describe("the answer is checked", () => {
  test.each([
    ["other-key", "sign.certificate-unsound", "another key than ours"],
    ["broken-chain", "sign.certificate-unsound", "do not belong together"],
  ] as const)("%s, with a trust root or without", async (mood, code, words) => {
    const ca = await started();
    ca.mood = mood;
    for (const trust of [async () => undefined, async () => trusting(ca)])
      await expect(signerAt(ca, { trust }).sign(message, call)).rejects.toMatchObject({
        code,
        retry: "wait",
        message: expect.stringContaining(words),
      });
  });

  test.each([
    ["other-chain", "add this Fulcio's chain"],
    ["foreign-sct", "whose key is not in the trust root"],
    ["no-sct", "carries no signed certificate timestamp"],
  ] as const)("%s: refused against a trust root, taken without one", async (mood, words) => {
    const ca = await started();
    ca.mood = mood;
    const asked: (boolean | undefined)[] = [];
    const signer = signerAt(ca, {
      trust: async ({ fresh }) => {
        asked.push(fresh);
        return trusting(ca);
      },
    });
    await expect(signer.sign(message, call)).rejects.toMatchObject({
      code: "sign.certificate-untrusted",
      retry: "wait",
      message: expect.stringContaining(words),
    });
    expect(asked).toEqual([undefined, true]);
    await expect(signerAt(ca).sign(message, call)).resolves.toMatchObject({ algorithm: "ecdsa-sha256" });
  });

  test("a stamp that its log did not make", async () => {
    const ca = await started();
    const [log] = ca.ctLogs;
    if (!log) throw new Error("no log");
    const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" }).toString();
    const trust = async () => ({ ...trusting(ca), ctLogs: [{ ...log, publicKey }] });
    await expect(signerAt(ca, { trust }).sign(message, call)).rejects.toMatchObject({
      message: expect.stringContaining("does not verify"),
    });
  });

  test("a log or a CA whose time is over is trusted no more", async () => {
    const ca = await started();
    const over = { end: new Date(clock.now() - 1000).toISOString() };
    const { certificateAuthorities, ctLogs } = trusting(ca);
    const fits = async (trust: KeylessTrust) => signerAt(ca, { trust: async () => trust }).sign(message, call);
    await expect(
      fits({ ctLogs, certificateAuthorities: certificateAuthorities.map((one) => ({ ...one, validFor: over })) }),
    ).rejects.toThrow("no certificate authority");
    await expect(fits({ certificateAuthorities, ctLogs: ctLogs.map((one) => ({ ...one, validFor: over })) })).rejects.toThrow(
      "not in the trust root",
    );
  });

  test("a trust root without CT logs asks for no stamp", async () => {
    const ca = await started({ ctLog: false });
    const trust = async () => ({ ...trusting(ca), ctLogs: [] });
    await expect(signerAt(ca, { trust }).sign(message, call)).resolves.toMatchObject({ algorithm: "ecdsa-sha256" });
  });

  test("the CT log's key changes: it signs after the next refresh, without a restart", async () => {
    const ca = await started();
    let root = trusting(ca);
    const signer = signerAt(ca, { trust: async () => root });
    await signer.sign(message, call);
    ca.rotateCtLog();
    await clock.advance(minutes(10));
    await expect(signer.sign(message, call)).rejects.toMatchObject({ code: "sign.certificate-untrusted", retry: "wait" });
    root = trusting(ca);
    await clock.advance(1_000);
    await signer.sign(message, call);
  });

  test("a refresh at the very moment saves the try", async () => {
    const ca = await started();
    const old = trusting(ca);
    ca.rotateCtLog();
    const signer = signerAt(ca, { trust: async ({ fresh }) => (fresh ? trusting(ca) : old) });
    await expect(signer.sign(message, call)).resolves.toMatchObject({ algorithm: "ecdsa-sha256" });
    expect(ca.issued).toBe(1);
  });

  test("a stamp beside the certificate counts as one inside it", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const id = createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest();
    const ca = await started({ ctLog: false });
    const trust = async () => ({ ...trusting(ca), ctLogs: [{ keyId: id.toString("base64"), publicKey: pem, url: "https://ct.test" }] });
    const stamp = (certificate: string, timestamp: number) => {
      const der = new X509Certificate(certificate).raw;
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(timestamp));
      const signed = Buffer.concat([Buffer.of(0, 0), time, Buffer.of(0, 0, 0, der.length >> 8, der.length & 0xff), der, Buffer.of(0, 0)]);
      const mark = nodeSign("sha256", signed, privateKey);
      const signature = Buffer.concat([Buffer.of(4, 3, 0, mark.length), mark]).toString("base64");
      return JSON.stringify({ sct_version: 0, id: id.toString("base64"), timestamp, extensions: "", signature });
    };
    const withStamp = (late: number, v1: boolean): Http => ({
      ...net,
      async request(request) {
        const answer = await net.request(request);
        const text = Buffer.from(answer.body).toString();
        if (v1 && answer.status === 201)
          return { ...answer, headers: { ...answer.headers, sct: Buffer.from(stamp(text, clock.now())).toString("base64") } };
        if (answer.status !== 200) return answer;
        const body = JSON.parse(text);
        const detached = body.signedCertificateDetachedSct;
        const said = stamp(detached.chain.certificates[0], clock.now()).replace(
          /"timestamp":(\d+)/,
          (_, at) => `"timestamp":${Number(at) + late}`,
        );
        detached.signedCertificateTimestamp = Buffer.from(said).toString("base64");
        return { ...answer, body: Buffer.from(JSON.stringify(body)) };
      },
    });
    await signerAt(ca, { trust, http: withStamp(0, false) }).sign(message, call);
    await expect(signerAt(ca, { trust, http: withStamp(1, false) }).sign(message, call)).rejects.toThrow("does not verify");
    ca.mood = "no-v2";
    await signerAt(ca, { trust, http: withStamp(0, true) }).sign(message, call);
  });
});

describe("a Fulcio that fails", () => {
  test.each([429, 500, 503, 408])("%i is waited for", async (status) => {
    const ca = await started();
    const proxy = await behind(ca);
    proxy.fault = () => ({ kind: "status", status, headers: { "retry-after": "30" } });
    const signer = signerAt(ca, { url: proxy.url });
    await expect(signer.sign(message, call)).rejects.toMatchObject({ code: "sign.ca-unavailable", retry: "wait", retryAfterMs: 30_000 });
    proxy.fault = () => undefined;
    await expect(signer.sign(message, call)).rejects.toMatchObject({ code: "sign.ca-unavailable" });
    expect(ca.issued).toBe(0);
    await clock.advance(30_000);
    await signer.sign(message, call);
  });

  test("five hundred who wait are one request a second", async () => {
    const ca = await started();
    const proxy = await behind(ca);
    proxy.fault = () => ({ kind: "status", status: 503 });
    const signer = signerAt(ca, { url: proxy.url });
    for (let second = 0; second < 5; second++) {
      const all = await Promise.allSettled(Array.from({ length: 500 }, () => signer.sign(message, call)));
      expect(all.every(({ status }) => status === "rejected")).toBe(true);
      await clock.advance(1_000);
    }
    expect(proxy.requests).toHaveLength(15); // three tries each
    proxy.fault = () => undefined;
    await Promise.all(Array.from({ length: 500 }, () => signer.sign(message, call)));
    expect(proxy.requests).toHaveLength(16);
  });

  test.each([400, 401, 403, 418])("%i is held, and says what to look at", async (status) => {
    const ca = await started();
    const proxy = await behind(ca);
    proxy.fault = () => ({ kind: "status", status });
    await expect(signerAt(ca, { url: proxy.url }).sign(message, call)).rejects.toMatchObject({
      code: "sign.ca-refused",
      retry: "hold",
      message: expect.stringMatching(/the test: its issuer must be among/),
    });
  });

  test("a token for somebody else: the sentence names the audience", async () => {
    const ca = await started();
    await expect(signerAt(ca, { tokens: freshTokens(ca, () => ({ aud: "elsewhere" })) }).sign(message, call)).rejects.toMatchObject({
      code: "sign.ca-refused",
      message: expect.stringContaining("not made for the audience sigstore"),
    });
  });

  test("a token that has just expired is waited for", async () => {
    const ca = await started();
    const old = ca.issuer.token();
    let token = old;
    const signer = signerAt(ca, { tokens: async () => ({ token, source: "the file /t" }) });
    await clock.advance(minutes(11));
    await expect(signer.sign(message, call)).rejects.toMatchObject({ code: "sign.token-expired", retry: "wait" });
    expect(ca.seen).toHaveLength(1);
    await clock.advance(minutes(10));
    await expect(signer.sign(message, call)).rejects.toMatchObject({ code: "sign.token-expired", retry: "wait" });
    expect(ca.seen).toHaveLength(1);
    token = ca.issuer.token();
    await clock.advance(1_000);
    await signer.sign(message, call);
  });

  test("nobody there, an endless answer, garbage", async () => {
    const ca = await started();
    await expect(signerAt(ca, { url: "http://127.0.0.1:1" }).sign(message, call)).rejects.toMatchObject({
      code: "sign.ca-unreachable",
      retry: "wait",
    });
    const proxy = await behind(ca);
    const faults = [
      [{ kind: "garbage" }, "sign.ca-answer"],
      [{ kind: "status", status: 200, body: "{}" }, "sign.ca-answer"],
      [{ kind: "status", status: 200, body: "null" }, "sign.ca-answer"],
      [{ kind: "status", status: 200, body: '{"signedCertificateEmbeddedSct":{"chain":{"certificates":[7]}}}' }, "sign.ca-answer"],
      [{ kind: "status", status: 200, body: '{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]}}}' }, "sign.ca-answer"],
      [
        {
          kind: "status",
          status: 200,
          body: '{"signedCertificateEmbeddedSct":{"chain":{"certificates":["-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n"]}}}',
        },
        "sign.certificate-unsound",
      ],
      [{ kind: "status", status: 200, body: "x".repeat(2 ** 20 + 1) }, "sign.ca-unreachable"],
      [{ kind: "cut" }, "sign.ca-unreachable"],
    ] as const;
    for (const [fault, code] of faults) {
      proxy.fault = () => fault;
      await expect(signerAt(ca, { url: proxy.url }).sign(message, call)).rejects.toMatchObject({ code, retry: "wait" });
    }
  });

  test("an answer that never ends what it begins is read once", async () => {
    const ca = await started();
    const http: Pick<Http, "request"> = {
      request: async ({ url }) => {
        const legacy = `${url}`.endsWith("/api/v1/signingCert");
        return { status: legacy ? 201 : 404, headers: {}, body: Buffer.from(legacy ? "-----BEGIN CERTIFICATE-----".repeat(38_000) : "") };
      },
    };
    const start = performance.now();
    await expect(signerAt(ca, { http }).sign(message, call)).rejects.toMatchObject({ code: "sign.ca-answer", retry: "wait" });
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test("no Fulcio at that address", async () => {
    const ca = await started();
    await expect(signerAt(ca, { url: `${ca.url}/elsewhere` }).sign(message, call)).rejects.toMatchObject({
      code: "sign.ca-refused",
      retry: "hold",
      message: expect.stringContaining("signers.x509.fulcio.address"),
    });
    for (const url of ["", "fulcio", "ftp://x"])
      await expect(signerAt(ca, { url }).sign(message, call)).rejects.toMatchObject({ code: "sign.ca-address", retry: "hold" });
  });

  test("an abort is prompt, and leaves the others their certificate", async () => {
    const ca = await started();
    const proxy = await behind(ca);
    const stop = new AbortController();
    const answer = Promise.withResolvers<void>();
    proxy.answered = () => answer.promise;
    const signer = signerAt(ca, { url: proxy.url });
    const [gone, stays] = [signer.sign(message, { signal: stop.signal }), signer.sign(message, call)];
    stop.abort(new Error("stopped"));
    await expect(gone).rejects.toThrow("stopped");
    answer.resolve();
    await expect(stays).resolves.toMatchObject({ algorithm: "ecdsa-sha256" });
    await expect(signer.sign(message, { signal: stop.signal })).rejects.toThrow("stopped");
  });
});

describe("recognise", () => {
  const seen = (ms: number) => ({ seenAt: Math.floor(ms / 1000) });

  test("what an earlier process signed, seen while its certificate was good, chain and all", async () => {
    const ca = await started();
    const before = await signerAt(ca).sign(message, call);
    const at = clock.now() + minutes(2);
    await clock.advance(minutes(60));
    const after = signerAt(ca, { trust: async () => trusting(ca) });
    const { bytes, certificate = "", chain } = before;
    expect(await after.recognise?.(message, [{ bytes, certificate, ...seen(at) }], call)).toEqual(before);
    expect(await after.recognise?.(message, [{ bytes, certificate, chain: `${chain}x`, ...seen(at) }], call)).toEqual({
      ...before,
      chain: `${chain}x`,
    });
    expect(await signerAt(ca).recognise?.(message, [{ bytes, certificate, ...seen(at) }], call)).toEqual(before);
  });

  test("its own of today, without asking Fulcio again", async () => {
    const ca = await started();
    const signer = signerAt(ca);
    const mine = await signer.sign(message, call);
    await clock.advance(minutes(3));
    expect(await signer.recognise?.(message, [mine], call)).toEqual(mine);
    expect(ca.issued).toBe(1);
  });

  test("nobody saw it and its certificate is as good as over: another one must be made, unless nobody ever sees any", async () => {
    const ca = await started();
    const signer = signerAt(ca);
    const mine = await signer.sign(message, call);
    await clock.advance(minutes(9.5) - 1);
    expect(await signer.recognise?.(message, [mine], call)).toEqual(mine);
    await clock.advance(1);
    expect(await signer.recognise?.(message, [mine], call)).toBeUndefined();
    expect(await signerAt(ca, { witnessed: false }).recognise?.(message, [mine], call)).toEqual(mine);
  });

  test("seen before it began or after it ended", async () => {
    const ca = await started();
    const signer = signerAt(ca);
    const mine = await signer.sign(message, call);
    const at = async (ms: number) => signer.recognise?.(message, [{ ...mine, ...seen(ms) }], call);
    expect(await at(clock.now())).toEqual(mine);
    expect(await at(clock.now() + minutes(10))).toEqual(mine);
    expect(await at(clock.now() - 1_000)).toBeUndefined();
    expect(await at(clock.now() + minutes(10) + 1_000)).toBeUndefined();
  });

  test("not of somebody else, of another issuer, of another CA, over another message, without a certificate", async () => {
    const ca = await started();
    const other = await started();
    const second = await oidcIssuer({ now: clock.now });
    open.push(second);
    const both = await started({ issuers: { [second.url]: "uri", [ca.issuer.url]: "uri" } });
    const signer = signerAt(ca);
    const mine = await signer.sign(message, call);
    const somebody = await signerAt(ca, { tokens: freshTokens(ca, () => ({ sub: "https://example.test/other" })) }).sign(message, call);
    const elsewhere = await signerAt(other).sign(message, call);
    const foreign = [
      somebody,
      elsewhere,
      await signer.sign(Buffer.from("another"), call),
      { bytes: mine.bytes },
      { bytes: mine.bytes, certificate: "junk" },
      { bytes: Buffer.alloc(0), certificate: mine.certificate ?? "" },
      { bytes: mine.bytes, certificate: ca.certificates[0] ?? "" },
    ];
    expect(await signer.recognise?.(message, foreign, call)).toBeUndefined();
    expect(await signer.recognise?.(message, [...foreign, mine], call)).toEqual(mine);
    // One name, one issuer, another CA.
    const pretender = await started({ issuers: { [ca.issuer.url]: "uri" } });
    const pretended = await signerAt(pretender, { tokens: freshTokens(ca) }).sign(message, call);
    expect(await signer.recognise?.(message, [pretended], call)).toBeUndefined();
    const trust = async () => trusting(other);
    expect(await signerAt(ca, { trust: async () => trusting(ca) }).recognise?.(message, [elsewhere], call)).toBeUndefined();
    await expect(signerAt(ca, { trust }).recognise?.(message, [mine], call)).rejects.toMatchObject({ code: "sign.certificate-untrusted" });
    // One CA, one subject, two issuers: whom it names is not enough.
    const ofSecond = await signerAt(both, { tokens: async () => ({ token: second.token(), source: "the test" }) }).sign(message, call);
    const ofFirst = signerAt(both, { tokens: freshTokens(ca) });
    expect(await ofFirst.recognise?.(message, [ofSecond], call)).toBeUndefined();
    expect(await ofFirst.recognise?.(message, [await ofFirst.sign(message, call)], call)).toBeDefined();
  });

  test("nothing that could be ours costs nothing", async () => {
    const ca = await started();
    expect(await signerAt(ca).recognise?.(message, [{ bytes: Buffer.of(1) }], call)).toBeUndefined();
    expect(ca.seen).toEqual([]);
  });
});
