import { expect, test } from "vitest";
import { placeOf, redact } from "./redact.ts";

test("a place is origin and path", () => {
  expect(placeOf("https://me:pw@a.io:8443/v2/x?token=1#f")).toBe("https://a.io:8443/v2/x");
});

test.each([
  ["Authorization: Bearer abcdef.ghi", "abcdef"],
  ["proxy-authorization: Negotiate c2VjcmV0", "c2VjcmV0"],
  ["basic dXNlcjpwYXNz", "dXNlcjpwYXNz"],
  ["got eyJhbGciOi.eyJzdWIi.c2ln from", "eyJzdWIi"],
  ["https://user:hunter2@a.io/x", "hunter2"],
  ["GET https://a.io/x?a=1&sig=hunter2", "hunter2"],
  ['{"password":"hunter2","user":"me"}', "hunter2"],
  ["token = hunter2", "hunter2"],
  ['{"identitytoken": "hunter2"}', "hunter2"],
  ["-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", "hunter2"],
  ["-----BEGIN EC PRIVATE KEY-----\nhunter2", "hunter2"],
])("%s loses its secret", (text, secret) => {
  expect(text).toContain(secret);
  expect(redact(text)).not.toContain(secret);
  expect(redact(text)).toContain("[redacted]");
});

test.each([
  "GET https://a.io/v2/x: connection refused (ECONNREFUSED)",
  "the token service answered 401",
  "basic trust, bearer of news",
  "sha256:abc",
])("%s stays as it is", (text) => {
  expect(redact(text)).toBe(text);
});

test.each(["a+".repeat(50_000), "eyJ".repeat(30_000), "basic ".repeat(16_000), "password ".repeat(10_000)])(
  "a text made to be slow is not (%#)",
  (text) => {
    const start = performance.now();
    redact(text);
    expect(performance.now() - start).toBeLessThan(1_000);
  },
);
