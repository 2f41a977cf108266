import { expect, test } from "vitest";
import { parseImageManifest, parseIndex } from "./manifest.ts";

const digest = `sha256:${"a".repeat(64)}`;
const descriptor = { mediaType: "m", size: 1, digest };
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

test("members nobody knows are kept, in their order", () => {
  const text = {
    schemaVersion: 2,
    config: descriptor,
    layers: [{ ...descriptor, urls: ["x"], annotations: { b: "1", a: "2" } }],
    annotations: { c: "d" },
  };
  const parsed = parseImageManifest(bytes(text));
  expect(parsed).toEqual(text);
  expect(JSON.stringify(parsed.layers)).toBe(JSON.stringify(text.layers));
});

test.each([
  { schemaVersion: 1, config: descriptor, layers: [] },
  { schemaVersion: 2, layers: [] },
  { schemaVersion: 2, config: descriptor },
  { schemaVersion: 2, config: descriptor, layers: [{ ...descriptor, digest: "../x" }] },
  { schemaVersion: 2, config: descriptor, layers: [{ ...descriptor, size: "1" }] },
  { schemaVersion: 2, config: descriptor, layers: [{ ...descriptor, annotations: { a: 1 } }] },
  { schemaVersion: 2, config: descriptor, layers: [], subject: "x" },
  { schemaVersion: 2, config: descriptor, layers: [], annotations: { a: 1 } },
  { schemaVersion: 2, config: descriptor, layers: Array.from({ length: 1001 }, () => descriptor) },
  null,
  7,
])("%# is no image manifest", (value) => {
  expect(() => parseImageManifest(bytes(value))).toThrow(TypeError);
});

test("a thousand layers are fine, an index is none, and no text is quoted", () => {
  expect(
    parseImageManifest(bytes({ schemaVersion: 2, config: descriptor, layers: Array.from({ length: 1000 }, () => descriptor) })).layers
      .length,
  ).toBe(1000);
  expect(() => parseImageManifest(bytes({ schemaVersion: 2, manifests: [] }))).toThrow("no image manifest");
  expect(parseIndex(bytes({ schemaVersion: 2, manifests: [descriptor] })).manifests).toHaveLength(1);
  expect(parseIndex(bytes({ schemaVersion: 2, manifests: null })).manifests).toEqual([]);
  expect(() => parseIndex(bytes({ schemaVersion: 2 }))).toThrow("no index");
  expect(() => parseIndex(Buffer.from("hunter2"))).toThrow(/^it is no JSON object$/);
});
