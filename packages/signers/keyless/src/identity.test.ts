import { type OidcIssuer, oidcIssuer } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { identityFrom } from "./identity.ts";

const now = Date.UTC(2026, 0, 1);
let issuer: OidcIssuer;
beforeAll(async () => {
  issuer = await oidcIssuer({ algorithm: "ES256", now: () => now });
});
afterAll(() => issuer.close());

const source = "the file /t";
const from = (token: string, at = now, fixed = false) => identityFrom({ token, source, fixed }, at);

test("subject and end", () => {
  expect(from(issuer.token({ sub: "somebody" }))).toMatchObject({
    challenge: "somebody",
    expiresAt: now + 600_000,
    forSigstore: true,
    source,
  });
  expect(from(issuer.token({ aud: ["elsewhere", "sigstore"] })).forSigstore).toBe(true);
  expect(from(issuer.token({ aud: "elsewhere" })).forSigstore).toBe(false);
  expect(from(issuer.token({ exp: undefined }), now + 10 ** 9).expiresAt).toBeUndefined();
});

test("an email address is who somebody is, when it is verified", () => {
  for (const verified of [true, "true", "True"])
    expect(from(issuer.token({ email: "a@b.test", email_verified: verified })).challenge).toBe("a@b.test");
  for (const verified of [false, "false", undefined, 1])
    expect(() => from(issuer.token({ email: "a@b.test", email_verified: verified }))).toThrow(/not verified/);
});

test("another subject or issuer is another identity, another token of the same is not", () => {
  const of = (claims: object) => from(issuer.token({ ...claims })).fingerprint;
  expect(of({ sub: "a", jti: "1" })).toBe(of({ sub: "a", jti: "2" }));
  expect(new Set([of({ sub: "a" }), of({ sub: "b" }), of({ sub: "a", iss: "https://x" })]).size).toBe(3);
});

test("every asymmetric algorithm is taken", () => {
  for (const algorithm of ["RS256", "PS256", "ES256", "ES384", "EdDSA"] as const)
    expect(from(issuer.token({}, { algorithm })).challenge).toBe("https://example.test/somebody");
});

test("an expired token is waited for when its source renews it, and asks for a hand when it never will", () => {
  const token = issuer.token();
  expect(() => from(token, now + 600_000 + 299_000)).not.toThrow();
  const late = now + 600_000 + 300_000;
  expect(() => from(token, late)).toThrow(expect.objectContaining({ code: "sign.token-expired", retry: "wait" }));
  expect(() => from(token, late)).toThrow("expired 5 min ago by this machine's clock");
  expect(() => from(token, late, true)).toThrow(expect.objectContaining({ code: "sign.token-expired", retry: "hold" }));
});

describe("what is no usable token is held, and nothing of it is repeated", () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const secret = "canary-claim-5f2e";
  const bad: readonly (readonly [string, () => string, string])[] = [
    ["unparsable", () => `${secret}.${secret}.${secret}`, "sign.token-unreadable"],
    ["two segments", () => issuer.token({ sub: secret }).split(".").slice(0, 2).join("."), "sign.token-unreadable"],
    ["one word", () => secret, "sign.token-unreadable"],
    ["an array for claims", () => `${json({ alg: "RS256" })}.${json([secret])}.x`, "sign.token-unreadable"],
    ["no algorithm", () => `${json({ alg: "none" })}.${json({ sub: secret })}.x`, "sign.token-unsupported"],
    ["a shared secret", () => `${json({ alg: "HS256" })}.${json({ sub: secret })}.x`, "sign.token-unsupported"],
    ["nobody", () => issuer.token({ sub: "", jti: secret }), "sign.token-unsupported"],
    ["a number for a subject", () => issuer.token({ sub: 7, jti: secret }), "sign.token-unsupported"],
    ["an unverified address", () => issuer.token({ email: `${secret}@x.test` }), "sign.identity-unverified"],
  ];
  test.each(bad)("%s", (_, make, code) => {
    const token = make();
    const failure = failureOf(() => from(token));
    expect(failure).toMatchObject({ code, retry: "hold", message: expect.stringContaining(source) });
    const everything = JSON.stringify([failure.message, failure.stack, failure.cause]);
    expect(everything).not.toContain(secret);
    for (const part of token.split(".").filter(({ length }) => length > 6)) expect(everything).not.toContain(part);
  });
});

function failureOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing failed");
}
