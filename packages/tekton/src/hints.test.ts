import { describe, expect, test } from "vitest";
import { digestFault, parseDigest } from "./digest.ts";
import { goTrim } from "./go-trim.ts";
import { parseImageReference } from "./image-reference.ts";
import { MergedList } from "./merged-list.ts";
import { pairsOf } from "./type-hints.ts";

const digest = `sha256:${"a".repeat(64)}`;
const text = (name: string, value: string) => ({ name, value: { kind: "string" as const, text: value } });

describe("image references", () => {
  test.each([
    ["ab", "index.docker.io/library/ab"],
    ["foo/bar", "index.docker.io/foo/bar"],
    ["docker.io/foo/bar", "index.docker.io/foo/bar"],
    ["docker.io/foo", "index.docker.io/library/foo"],
    ["index.docker.io/foo", "index.docker.io/library/foo"],
    ["registry-1.docker.io/foo", "registry-1.docker.io/foo"],
    ["localhost/foo", "localhost/foo"],
    ["localhost:5000/foo", "localhost:5000/foo"],
    ["localhost:5000", "index.docker.io/library/localhost"],
    ["gcr.io/xx:tag", "gcr.io/xx"],
    ["oci://gcr.io/xx", "oci://gcr.io/xx"],
    ["https://gcr.io/xx", "https://gcr.io/xx"],
    ["/gcr.io/x", "index.docker.io//gcr.io/x"],
    ["GCR.io/xx", "GCR.io/xx"],
    ["com.google:guava", "index.docker.io/library/com.google"],
    ["[::1]:5000/xx", "[::1]:5000/xx"],
    ["ü.example/xx", "ü.example/xx"],
  ])("%s is %s", (base, name) => expect(parseImageReference(`${base}@${digest}`)).toEqual({ name, hex: "a".repeat(64) }));
  test.each([
    "",
    "a",
    "gcr.io/x",
    "gcr.io/xX",
    "gcr.io/x y",
    "pkg:npm/foo",
    "gcr.io:abc/xx",
    `gcr.io/xx:${"t".repeat(129)}`,
    "[::1%25eth0]:1/xx",
    "[1.2.3.4]/xx",
    "a.b c/xx",
    `gcr.io/${"x".repeat(256)}`,
    "gcr.io/xx@sha256:1",
  ])("%s is none", (base) => expect(parseImageReference(`${base}@${digest}`)).toBeTypeOf("string"));
  test.each(["sha512:", "SHA256:", "", "sha256"])("a digest that begins with %j is none", (prefix) =>
    expect(parseImageReference(`gcr.io/xx@${prefix}${"a".repeat(64)}`)).toBeTypeOf("string"),
  );
});

describe("digests", () => {
  test("may be padded and loud in front, not in the hex", () => {
    expect(parseDigest(` SHA256 : ${"a".repeat(64)}\n`)).toEqual({ algorithm: "sha256", hex: "a".repeat(64) });
    expect(parseDigest(`sha1:${"0".repeat(40)}`)?.algorithm).toBe("sha1");
    expect(parseDigest(`sha512:${"0".repeat(128)}`)?.algorithm).toBe("sha512");
    expect(parseDigest(`sha384:${"0".repeat(96)}`)?.algorithm).toBe("sha384");
  });
  test.each([
    ["", "empty"],
    ["abc", "no algorithm"],
    ["a:b:c", "more than one colon"],
    ["md5:1", '"md5" is not one of'],
    ["sha1:12", "found 2"],
    [`sha256:${"A".repeat(64)}`, "lower case"],
    [`sha256:${"z".repeat(64)}`, "no hex digits"],
    ["constructor:1", "not one of"],
  ])("%j is none: %s", (bad, why) => {
    expect(parseDigest(bad)).toBeUndefined();
    expect(digestFault(bad)).toContain(why);
  });
});

describe("pairs", () => {
  test("come in order of first sight, the last of equal names counts, halves and empty values vanish", () => {
    const results = [
      text("b-U", " 1\n"),
      text("a-U", "2"),
      text("c-U", "3"),
      text("a-D", "x"),
      text("b-D", "old"),
      text("b-D", "new"),
      text("c-D", " "),
      text("U", "4"),
      text("D", "y"),
    ];
    expect(pairsOf(results, "U", "D").map(({ location, digest, names }) => [location, digest, names[0]])).toEqual([
      ["1", "new", "b-U"],
      ["2", "x", "a-U"],
      ["4", "y", "U"],
    ]);
  });
});

describe("merging", () => {
  const entry = (name: string, digests: Readonly<Record<string, string>>) => ({
    name,
    digest: new Map(Object.entries(digests)),
    origins: [],
  });
  const merged = (...entries: readonly ReturnType<typeof entry>[]) =>
    new MergedList().appendAll(entries).entries.map(({ name, digest }) => [name, Object.fromEntries(digest)]);
  test("needs one algorithm in common", () => {
    expect(merged(entry("a", { sha256: "1", sha224: "2" }), entry("a", { sha256: "1", sha512: "3" }))).toEqual([
      ["a", { sha256: "1", sha224: "2", sha512: "3" }],
    ]);
    expect(merged(entry("a", { sha256: "1" }), entry("a", { sha256: "2" }))).toHaveLength(2);
    expect(merged(entry("a", { sha256: "1" }), entry("b", { sha256: "1" }))).toHaveLength(2);
  });
  test("knows an empty hex as the same as none, and no digests as the same as nothing", () => {
    expect(merged(entry("a", { sha256: "" }), entry("a", { sha1: "1" }))).toEqual([["a", { sha256: "", sha1: "1" }]]);
    expect(merged(entry("a", {}), entry("a", {}))).toHaveLength(2);
  });
});

test("white space is what Go takes for it", () => {
  expect(goTrim("\u0085\u00a0\t a b\u2028\u3000\r\n")).toBe("a b");
  expect(goTrim("\ufeffa\u200b")).toBe("\ufeffa\u200b");
  expect(goTrim(" ".repeat(50_000))).toBe("");
});
