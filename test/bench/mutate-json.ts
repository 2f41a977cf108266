import type { SourceNode } from "@countersign/tekton";

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Random = () => number;

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

/** The tree with one thing broken at a random place; the tree itself stays whole. */
export function mutated(node: SourceNode, random: Random, largest: number): SourceNode {
  if (typeof node === "string" || random() < 0.12) return damaged(node, random, largest);
  if (Array.isArray(node)) {
    if (node.length === 0) return damaged(node, random, largest);
    const at = Math.floor(random() * node.length);
    if (random() < 0.1) return node.toSpliced(at, 1);
    return node.with(at, mutated(node[at] as SourceNode, random, largest));
  }
  if (node.size === 0) return damaged(node, random, largest);
  const key = pick(random, [...node.keys()]);
  const copy = new Map(node);
  if (random() < 0.08) copy.delete(key);
  else if (random() < 0.05) return renamed(node, key, pick(random, oddKeys));
  else copy.set(key, mutated(node.get(key) as SourceNode, random, largest));
  return copy;
}

function renamed(node: Map<string, SourceNode>, key: string, name: string): SourceNode {
  return new Map([...node].map(([old, member]) => [old === key ? name : old, member]));
}

const oddKeys = [
  "__proto__",
  "constructor",
  "toString",
  "",
  "10",
  "9",
  "\ud800",
  "\u{1f98a}",
  "\uffff",
  "value",
  "name",
  "uri",
  "a".repeat(300),
];

/** Texts of scalars and of whole values that are wrong, odd or just about right somewhere. */
const oddities: readonly string[] = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "1.0",
  "1e0",
  "2.50",
  "9007199254740993",
  "9223372036854775808",
  "-9223372036854775809",
  "1e400",
  "1E-400",
  "{}",
  "[]",
  "[null]",
  "[[]]",
  '{"a":null}',
  '{"__proto__":{"a":1}}',
  '{"10":"a","9":"b","-":"c"}',
  '["a",1]',
  '{"uri":"a","digest":"sha256:"}',
  '""',
  '" "',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\u2028"',
  '"<>&"',
  '"1h"',
  '"1.5h-3m"',
  '"9999999999h"',
  '"1Gi"',
  '"1e1000000000"',
  '"-0.0000000001Ei"',
  '"2026-01-01T00:00:00Z"',
  '"0001-01-01T00:00:00Z"',
  '"9999-12-31T23:59:59.9999999999-24:60"',
  '"2026-02-30T00:00:00Z"',
  `"sha256:${"a".repeat(64)}"`,
  '"sha256:@:"',
  '"@"',
  '":"',
  '"a@b:c"',
  '"docker-pullable://x@sha256:1"',
  '"CHAINS-GIT_COMMIT"',
  '"IMAGES"',
  '"X_ARTIFACT_OUTPUTS"',
  '"ARTIFACT_INPUTS"',
  '"IMAGE_URL"',
  '"IMAGE_DIGEST"',
  '"$(tasks.a.results.b)"',
  '"$(tasks.a.results.b[*])"',
  '"True"',
  '"unnamed-0"',
  '"[::1]:5000/xx"',
  '"\\ufeff\\u0085"',
  // a duplicate key smuggled in behind a value
  '1,"name":2',
  '"a","metadata":{"uid":"b"}',
  'null,"value":["a"]',
];

function damaged(node: SourceNode, random: Random, largest: number): SourceNode {
  const kind = random();
  if (kind < 0.55) return pick(random, oddities);
  if (kind < 0.65) return [node];
  if (kind < 0.72) return new Map([[pick(random, oddKeys), node]]);
  if (kind < 0.78) return Array.isArray(node) && node.length > 0 ? [...node, pick(random, node)] : [node, node];
  if (kind < 0.8) return deep(random, Math.min(50_000, largest / 4));
  if (kind < 0.9 && typeof node === "string" && node.startsWith('"')) return spliced(node, random);
  return kind < 0.98 ? enlarged(node, random, 2_000) : enlarged(node, random, largest);
}

function deep(random: Random, levels: number): string {
  const depth = Math.floor(random() * levels);
  return random() < 0.5 ? `${"[".repeat(depth)}${"]".repeat(depth)}` : `${'{"spec":'.repeat(depth / 8)}1${"}".repeat(depth / 8)}`;
}

const shards = [
  "@",
  ":",
  "/",
  ",",
  "\\n",
  " ",
  ".",
  "$(",
  ")",
  "sha256:",
  "git+",
  ".git",
  "\\ud83d",
  "\\u0085",
  "Z",
  "+",
  "-",
  "e",
  "A",
  "[",
  "]",
  "%",
];

/** A string with a piece put in or taken out. */
function spliced(text: string, random: Random): string {
  const inner = text.slice(1, -1);
  const at = Math.floor(random() * (inner.length + 1));
  const next = `${inner.slice(0, at)}${pick(random, shards)}${inner.slice(at + Math.floor(random() * 3))}`;
  const candidate = `"${next}"`;
  // an escape may have been cut in two
  return isJson(candidate) ? candidate : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function enlarged(node: SourceNode, random: Random, largest: number): SourceNode {
  const size = Math.floor(random() * largest);
  if (Array.isArray(node) && node.length > 0)
    return Array.from({ length: Math.max(1, size / 300) }, (_, i) => node[i % node.length] as SourceNode);
  if (node instanceof Map) {
    const members = Array.from({ length: Math.max(1, size / 12) }, (_, i): [string, SourceNode] => [`k${i}`, `"${i}"`]);
    return new Map([...node, ...members]);
  }
  const pieces = ["x", " ", ",", "\\n", "a@b,", "0", "9", "1h", "$(tasks.a.results.b)", "\\\\", "\\u2028", "[", "é", "\\ud800"];
  const piece = pick(random, pieces);
  return random() < 0.3 ? "9".repeat(Math.max(1, size)) : `"${piece.repeat(size / piece.length)}"`;
}
