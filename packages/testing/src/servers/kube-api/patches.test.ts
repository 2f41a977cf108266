import { expect, test } from "vitest";
import { patched } from "./patches.ts";

const through = (type: string) => (target: unknown, patch: unknown) => patched(`application/${type}+json`, false, target, patch);
const mergePatch = through("merge-patch");
const strategicMergePatch = through("strategic-merge-patch");
const jsonPatch = through("json-patch");

test("a merge patch deletes with null and replaces lists (RFC 7396, appendix A)", () => {
  const pairs: readonly (readonly [unknown, unknown, unknown])[] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of pairs) expect(mergePatch(target, patch)).toEqual(result);
});

test("a strategic merge patch adds to lists that are sets, and minds no directives", () => {
  expect(strategicMergePatch({ metadata: { finalizers: ["a"] } }, { metadata: { finalizers: ["b", "a"] } })).toEqual({
    metadata: { finalizers: ["a", "b"] },
  });
  expect(strategicMergePatch({ secrets: [{ name: "a" }] }, { secrets: [{ name: "b" }], "$setElementOrder/secrets": [] })).toEqual({
    secrets: [{ name: "a" }, { name: "b" }],
  });
});

test("a JSON patch does its six operations", () => {
  const target = { list: [1, 2, 3], map: { "a/b": 1, "m~n": 2 } };
  const result = jsonPatch(target, [
    { op: "test", path: "/map/a~1b", value: 1 },
    { op: "add", path: "/list/1", value: 9 },
    { op: "add", path: "/list/-", value: 4 },
    { op: "remove", path: "/list/0" },
    { op: "replace", path: "/map/m~0n", value: { deep: true } },
    { op: "copy", from: "/map/m~0n", path: "/copy" },
    { op: "move", from: "/map/a~1b", path: "/moved" },
  ]);
  expect(result).toEqual({ list: [9, 2, 3, 4], map: { "m~n": { deep: true } }, copy: { deep: true }, moved: 1 });
  expect(target.list).toEqual([1, 2, 3]);
});

test("a JSON patch that does not fit is refused as a whole", () => {
  for (const operation of [
    { op: "test", path: "/a", value: 2 },
    { op: "remove", path: "/none" },
    { op: "replace", path: "/none", value: 1 },
    { op: "add", path: "/a/b/c", value: 1 },
  ]) {
    expect(() => jsonPatch({ a: 1 }, [operation])).toThrow(/rejected our request/);
  }
  expect(() => jsonPatch({}, {})).toThrow("list of operations");
});
