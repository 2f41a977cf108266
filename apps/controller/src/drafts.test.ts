import type { Draft } from "@countersign/attest";
import { type Artifact, CountersignError, type RunRef } from "@countersign/core";
import { describe, expect, test } from "vitest";
import { draftsOn } from "./drafts.ts";
import { draftsIn, draftsText } from "./drafts-text.ts";
import { memoryCluster } from "./memory-cluster.fixture.ts";
import { ownWrites } from "./own-writes.ts";

const signal = new AbortController().signal;
const key = "chains.tekton.dev/drafts";
const ref: RunRef = { kind: "TaskRun", namespace: "ci", name: "build", uid: "uid-build" };
const artifact = (fullKey: string): Artifact => ({ kind: "image", run: ref, serviceAccount: "default", shortKey: fullKey, fullKey });
const draft = (letter: string, more: Partial<Draft> = {}): Draft => ({
  digest: letter.repeat(64),
  signature: { bytes: Buffer.from(letter), algorithm: "ecdsa-sha256", publicKey: "key", certificate: "certificate" },
  evidence: [],
  ...more,
});

/** A run in a cluster, and a visit to it with the annotations it has. */
function visited(annotations: Readonly<Record<string, string>> = {}) {
  const cluster = memoryCluster();
  const { metadata } = cluster.put({ name: "build", annotations });
  const house = { runs: cluster, own: ownWrites() };
  return { cluster, metadata, visit: () => draftsOn({ ref, annotations: { ...metadata.annotations } }, house, { signal }) };
}

test("what is kept stands on the run, and the next visit recalls it", async () => {
  const { metadata, visit } = visited({ "chains.tekton.dev/retries": "1", foreign: "x" });
  const first = visit();
  const stamped = draft("b", { evidence: [{ kind: "timestamp", token: "dG9rZW4=", over: "envelope" }] });
  await first.keep(artifact("a"), "r", draft("a"));
  await first.keep(artifact("b"), "r", stamped);
  expect(first.annotations()).toEqual(metadata.annotations);
  expect(Object.keys(metadata.annotations).sort()).toEqual([key, "chains.tekton.dev/retries", "foreign"]);
  const second = visit();
  expect([second.recall(artifact("a"), "r"), second.recall(artifact("b"), "r")]).toEqual([[draft("a")], [stamped]]);
  expect([second.recall(artifact("a"), "other"), second.recall(artifact("c"), "r")]).toEqual([[], []]);
});

test("who signs at the same moment shares an apply, and who comes while it is under way the next one", async () => {
  const { cluster, visit } = visited();
  const drafts = visit();
  let release: () => void = () => undefined;
  cluster.step = (label) =>
    label === "annotate TaskRun/ci/build" && cluster.requests.length === 1
      ? new Promise((resolve) => {
          release = resolve;
        })
      : Promise.resolve();
  const early = ["a", "b", "c", "d"].map((letter) => drafts.keep(artifact(letter), "r", draft(letter)));
  await expect.poll(() => cluster.requests.length).toBe(1);
  const late = ["e", "f"].map((letter) => drafts.keep(artifact(letter), "r", draft(letter)));
  release();
  await Promise.all([...early, ...late]);
  expect(cluster.requests).toHaveLength(2);
  expect(cluster.applied.map((applied) => Object.keys(JSON.parse(applied[key] ?? "{}").drafts).length)).toEqual([4, 6]);
});

describe("nobody goes to the log", () => {
  test("while the API server is down; what could not be written comes with the next apply", async () => {
    const { cluster, visit } = visited();
    const drafts = visit();
    cluster.step = () => Promise.reject(new CountersignError("mark.down", "down", { retry: "wait" }));
    await expect(drafts.keep(artifact("a"), "r", draft("a"))).rejects.toMatchObject({ code: "mark.down" });
    cluster.step = async () => undefined;
    await drafts.keep(artifact("b"), "r", draft("b"));
    expect(visit().recall(artifact("a"), "r")).toEqual([draft("a")]);
  });

  test("where another run has the name now", async () => {
    const { cluster, visit } = visited();
    const drafts = visit();
    cluster.put({ name: "build", uid: "another" });
    await expect(drafts.keep(artifact("a"), "r", draft("a"))).rejects.toMatchObject({ code: "mark.gone", retry: "never" });
  });

  test("where the annotation is altered on its way", async () => {
    const { cluster, visit } = visited();
    cluster.damage = "drafts";
    await expect(visit().keep(artifact("a"), "r", draft("a"))).rejects.toMatchObject({
      code: "mark.read-back",
      message: expect.stringContaining(key),
    });
  });
});

test("somebody's mark on a run that worked is not taken over by a draft", async () => {
  const { cluster, visit } = visited({ "chains.tekton.dev/signed": "true" });
  await visit().keep(artifact("a"), "r", draft("a"));
  expect(cluster.applied.map((applied) => Object.keys(applied))).toEqual([[key]]);
});

test("a run whose annotations are full has no drafts, and is none the worse for it", async () => {
  const { cluster, visit } = visited({ full: "x".repeat(262_100) });
  const drafts = visit();
  await drafts.keep(artifact("a"), "r", draft("a"));
  expect([cluster.requests, Object.keys(drafts.annotations())]).toEqual([[], ["full"]]);
});

test.each([
  "",
  "null",
  "[]",
  "{",
  '{"drafts":{"a":{"by":0}},"signers":[{}]}',
  '{"drafts":{"a":null},"signers":[]}',
  '{"drafts":{"a":{"digest":"x","signature":7,"by":0}},"signers":[{"publicKey":"k"}]}',
  '{"drafts":{"a":{"digest":"x","signature":"","by":3}},"signers":[{"publicKey":"k"}]}',
])("what is no draft is none: %s", (text) => {
  expect(draftsIn(text)).toEqual([]);
});

test("a damaged draft does not hide the sound ones, nor a damaged token its draft", () => {
  const text = JSON.parse(
    draftsText(
      new Map([
        ["a", draft("a")],
        ["b", draft("b")],
      ]),
    ),
  );
  text.drafts.a = 7;
  text.drafts.b.timestamps = [null, { kind: "timestamp" }, { kind: "log-entry", entry: {} }, { kind: "timestamp", token: "t" }];
  expect(draftsIn(JSON.stringify(text))).toEqual([["b", draft("b", { evidence: [{ kind: "timestamp", token: "t" }] })]]);
});
