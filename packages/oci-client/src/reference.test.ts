import fc from "fast-check";
import { expect, test } from "vitest";
import { parseReference, parseRepository, textOf } from "./reference.ts";

const hex = "a".repeat(64);

test.each([
  ["ubuntu", "index.docker.io/library/ubuntu"],
  ["ubuntu:22.04", "index.docker.io/library/ubuntu:22.04"],
  ["team/app", "index.docker.io/team/app"],
  ["docker.io/ubuntu", "index.docker.io/library/ubuntu"],
  ["docker.io/team/app", "index.docker.io/team/app"],
  ["index.docker.io/ubuntu", "index.docker.io/library/ubuntu"],
  ["localhost/app", "localhost/app"],
  ["localhost:5000/app", "localhost:5000/app"],
  ["127.0.0.1:5055/chains/dsse", "127.0.0.1:5055/chains/dsse"],
  ["[::1]:5000/app", "[::1]:5000/app"],
  ["gcr.io/a/b/c__d/e--f.g", "gcr.io/a/b/c__d/e--f.g"],
  [`gcr.io/a/b@sha256:${hex}`, `gcr.io/a/b@sha256:${hex}`],
  [`gcr.io/a/b:tag@sha256:${hex}`, `gcr.io/a/b:tag@sha256:${hex}`],
])("%s is %s", (text, expected) => {
  const reference = parseReference(text);
  expect(reference && textOf(reference)).toBe(expected);
});

test.each([
  "",
  "a",
  "pkg:npm/foo@1.0.0",
  "git+https://github.com/a/b",
  "https://example.com/a",
  "oci://gcr.io/a/b",
  "gcr.io/Upper/case",
  `gcr.io/a/b@sha512:${hex}`,
  `gcr.io/a/b@sha256:${hex.toUpperCase()}`,
  `gcr.io/a/b@sha256:${hex}@sha256:${hex}`,
  "gcr.io/a/../b",
  "gcr.io//b",
  "gcr.io/a b",
  "gcr.io/a\n/b",
  "me@gcr.io/a",
  "gcr.io/a:b:c",
  "gcr.io:99999999/a",
  "-gcr.io/ab",
  `gcr.io/${"a".repeat(256)}`,
])("%j is no image", (text) => {
  expect(parseReference(text)).toBeUndefined();
});

test("a repository has neither tag nor digest", () => {
  expect(parseRepository("example.com/foo")).toEqual({ registry: "example.com", repository: "foo" });
  expect(parseRepository("example.com/foo:tag")).toBeUndefined();
});

test("never throws, and what is parsed makes one URL of the parsed host", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9.:/@_[\]-]*$/)), (text) => {
      const reference = parseReference(text);
      if (!reference) return;
      const url = new URL(`https://${reference.registry}/v2/${reference.repository}/manifests/x`);
      expect(url.pathname).toBe(`/v2/${reference.repository}/manifests/x`);
      expect([url.username, url.search, url.hash]).toEqual(["", "", ""]);
    }),
  );
});
