import type { LogEntry } from "@countersign/core";
import { describe, expect, test } from "vitest";
import { aLog } from "./log.fixture.ts";
import { isOfKnownLog, logEntryFault } from "./log-entry.ts";
import { logKeyFrom } from "./log-key.ts";

type Proof = NonNullable<LogEntry["inclusionProof"]>;
const withProof = (entry: LogEntry, change: Partial<Proof>): LogEntry => ({
  ...entry,
  inclusionProof: { ...(entry.inclusionProof as Proof), ...change },
});
const withoutProof = ({ inclusionProof: _, ...rest }: LogEntry): LogEntry => rest;
const withoutPromise = ({ inclusionPromise: _, ...rest }: LogEntry): LogEntry => rest;

describe.each(["v1", "v2"] as const)("an entry of a %s log", (version) => {
  const log = aLog(version);
  const entry = log.entry(6, 11);
  const proof = entry.inclusionProof as Proof;

  test("is sound, at every place of the tree", () => {
    for (let index = 0; index < 11; index += 1) expect(logEntryFault(log.entry(index, 11), [log.key])).toBeUndefined();
    expect(logEntryFault(log.entry(0, 1), [log.key])).toBeUndefined();
  });

  test("is sound beside other logs' keys, in any order", () => {
    const others = [aLog("v1").key, aLog("v2").key];
    expect(logEntryFault(entry, [...others, log.key])).toBeUndefined();
    expect(logEntryFault(entry, [log.key, ...others])).toBeUndefined();
    expect(isOfKnownLog(entry, [log.key])).toBe(true);
  });

  test.each<[string, LogEntry, RegExp]>([
    ["another entry's body", { ...entry, canonicalizedBody: log.entry(7, 11).canonicalizedBody }, /promise|does not lead/],
    [
      "an older, smaller tree's checkpoint",
      withProof(entry, { checkpoint: log.entry(6, 10).inclusionProof?.checkpoint as Proof["checkpoint"] }),
      /another size/,
    ],
    [
      "another log's checkpoint",
      withProof(entry, { checkpoint: aLog(version).entry(6, 11).inclusionProof?.checkpoint as Proof["checkpoint"] }),
      /not signed|no known key/,
    ],
    ["a root of its own", withProof(entry, { rootHash: Buffer.alloc(32, 1).toString("base64") }), /another root/],
    ["another leaf's path", withProof(entry, { hashes: log.entry(7, 11).inclusionProof?.hashes ?? [] }), /does not lead/],
    ["another place", withProof(entry, { logIndex: "7" }), /does not lead|differs/],
    ["no checkpoint", withProof(entry, { checkpoint: { envelope: "" } }), /not one|no known key/],
    ["a size that is no number", withProof(entry, { treeSize: "eleven" }), /number/],
    ["a negative place", withProof(entry, { logIndex: "-1" }), /number/],
    ["another kind than its body's", { ...entry, kindVersion: { kind: "intoto", version: "0.0.2" } }, /otherwise/],
    ["another version than its body's", { ...entry, kindVersion: { ...entry.kindVersion, version: "9.9.9" } }, /otherwise/],
    ["a body that is not base64", { ...entry, canonicalizedBody: `${entry.canonicalizedBody}!` }, /base64/],
    ["a body that is not JSON", { ...entry, canonicalizedBody: Buffer.from("{").toString("base64") }, /damaged/],
  ])("is refused with %s", (_, changed, sentence) => {
    expect(logEntryFault(changed, [log.key])).toMatch(sentence);
  });

  test("is refused under another log's key, and under none", () => {
    expect(logEntryFault(entry, [aLog(version).key])).toMatch(/no known key/);
    expect(logEntryFault(entry, [])).toMatch(/no known key/);
    expect(isOfKnownLog(entry, [aLog(version).key])).toBe(false);
  });

  test("is refused when a key that only claims the log's id signed it", () => {
    expect(logEntryFault(entry, [{ ...aLog(version).key, keyId: log.key.keyId }])).toMatch(/does not fit|not signed/);
  });

  test("is refused without proof and promise", () => {
    const bare = withoutPromise(withoutProof(entry));
    const rules = { promiseSuffices: true };
    expect(logEntryFault(bare, [log.key])).toMatch(/neither|no known key/);
    expect(logEntryFault(bare, [log.key], rules)).toMatch(/neither|no known key/);
  });

  test("checks the whole checkpoint: one changed character anywhere refuses it", () => {
    const { envelope } = proof.checkpoint;
    for (let at = 0; at < envelope.length - 1; at += 1) {
      const other = envelope[at] === "A" ? "B" : "A";
      const changed = withProof(entry, { checkpoint: { envelope: envelope.slice(0, at) + other + envelope.slice(at + 1) } });
      expect(logEntryFault(changed, [log.key]), `at ${at}`).toBeTypeOf("string");
    }
  });
});

describe("the promise of a v1 log", () => {
  const log = aLog("v1");
  const entry = log.entry(3, 8);

  test("alone suffices only by rule", () => {
    expect(logEntryFault(withoutProof(entry), [log.key])).toMatch(/no proof of inclusion/);
    expect(logEntryFault(withoutProof(entry), [log.key], { promiseSuffices: true })).toBeUndefined();
  });

  test.each<[string, Partial<LogEntry>]>([
    ["time", { integratedTime: "1795319630" }],
    ["index", { logIndex: "1004" }],
    ["promise", { inclusionPromise: aLog("v1").entry(3, 8).inclusionPromise as NonNullable<LogEntry["inclusionPromise"]> }],
  ])("does not fit another %s, with or without proof", (_, change) => {
    expect(logEntryFault({ ...entry, ...change }, [log.key])).toMatch(/promise/);
    expect(logEntryFault({ ...withoutProof(entry), ...change }, [log.key], { promiseSuffices: true })).toMatch(/promise/);
  });

  test("counts only while the key does", () => {
    const key = (validFor: object) => [{ ...log.key, validFor }];
    expect(logEntryFault(entry, key({ start: "2026-11-22T00:00:00Z" }))).toBeUndefined();
    expect(logEntryFault(entry, key({ start: "2026-11-23T00:00:00Z" }))).toMatch(/no known key/);
    expect(logEntryFault(entry, key({ start: "2026-01-01T00:00:00Z", end: "2026-11-01T00:00:00Z" }))).toMatch(/no known key/);
  });
});

test("where there is no promise, the entry's number is the one that is proved", () => {
  const log = aLog("v2");
  expect(logEntryFault({ ...log.entry(6, 11), logIndex: "7" }, [log.key])).toMatch(/index differs/);
});

test("a log's name stands in its origin: under another one the same key does not count", () => {
  for (const [version, origin] of [
    ["v1", "other.test - 42"],
    ["v2", "other.test"],
  ] as const) {
    const log = aLog(version, origin);
    expect(logEntryFault(log.entry(1, 2), [log.key]), version).toMatch(/not signed|no known key/);
  }
});

test("a key is made ready once, and not kept for ever", () => {
  const { publicKey } = aLog("v1").key;
  expect(logKeyFrom(publicKey)).toBe(logKeyFrom(publicKey));
  const first = logKeyFrom(publicKey);
  for (let n = 0; n < 70; n += 1) logKeyFrom(aLog("v2").key.publicKey);
  expect(logKeyFrom(publicKey)).not.toBe(first); // but strangers' keys do not pile up
});
