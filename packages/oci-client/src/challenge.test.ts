import { expect, test } from "vitest";
import { parseChallenge } from "./challenge.ts";

test.each([
  ['Basic realm="x"', { kind: "basic" }],
  ["basic", { kind: "basic" }],
  ['Bearer realm="https://a.io/t",service="a, b"', { kind: "bearer", realm: "https://a.io/t", service: "a, b" }],
  ['bearer  realm = https://a.io/t , scope="repository:a:pull,push"', { kind: "bearer", realm: "https://a.io/t", service: undefined }],
  ['Basic realm="x", Bearer realm="https://a.io/\\"t",service=s', { kind: "bearer", realm: 'https://a.io/"t', service: "s" }],
  ['Negotiate, Basic realm="Bearer realm=evil"', { kind: "basic" }],
  ["Bearer", undefined],
  ["Negotiate", undefined],
  ["", undefined],
  [undefined, undefined],
])("%s", (header, expected) => {
  expect(parseChallenge(header)).toEqual(expected);
});

test.each([`${"a".repeat(16_000)}!`, 'a="'.repeat(5_000), `a="${"\\\\".repeat(8_000)}`, "a=".repeat(8_000)])(
  "a header made to be slow is not (%#)",
  (header) => {
    const start = performance.now();
    parseChallenge(header);
    expect(performance.now() - start).toBeLessThan(400);
  },
);
