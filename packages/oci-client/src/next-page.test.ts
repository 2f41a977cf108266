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
