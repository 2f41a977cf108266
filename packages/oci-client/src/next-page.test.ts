import { expect, test } from "vitest";
import { nextPage } from "./next-page.ts";

test.each([
  ['</v2/a/tags/list?last=b&n=2>; rel="next"', "/v2/a/tags/list?last=b&n=2"],
  ["</v2/a>; rel=next", "/v2/a"],
  ['<https://evil.example/v2/a>; rel="next"', undefined],
  ['<//evil.example/v2/a>; rel="next"', undefined],
  ['</v2/a>; rel="prev"', undefined],
  ["", undefined],
  [undefined, undefined],
])("%s", (link, expected) => {
  expect(nextPage(link)).toBe(expected);
});

test.each(["<".repeat(16_000), "<a>;".repeat(4_000), `<a>;${"x".repeat(16_000)}`])("a header made to be slow is not (%#)", (header) => {
  const start = performance.now();
  nextPage(header);
  expect(performance.now() - start).toBeLessThan(200);
});
