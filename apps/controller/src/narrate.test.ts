import { CountersignError, type StoredAt } from "@countersign/core";
import { anAttestation } from "@countersign/testing";
import { expect, test } from "vitest";
import type { ControllerNews } from "./controller.ts";
import { watcherLog } from "./log.ts";
import { speakTo } from "./narrate.ts";

const attestation = await anAttestation();
const canary = "canary-s3cret";
const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const;
const refused = new CountersignError("store.refused", "the registry says no", { retry: "counted", cause: new Error(canary) });
const bug = new TypeError(canary);
const outcome = (stored: readonly StoredAt[]) => ({ artifact: attestation.artifact, route: "taskrun/slsa/v1", stored, failures: [] });

function lineOf(news: ControllerNews): Readonly<Record<string, unknown>> {
  const lines: string[] = [];
  speakTo(watcherLog("debug", { POD_NAME: "pod-1" }, { write: (line) => lines.push(line) }))(news);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(canary);
  return JSON.parse(lines[0] ?? "");
}
const about = { "knative.dev/key": "ci/build", "knative.dev/kind": "tekton.dev.TaskRun", uid: "u1" };
const said = { code: "store.refused", retry: "counted", reason: "the registry says no" };

test("signed: which routes, and where it lies; the shape of Tekton Chains", () => {
  const via = "secret ci/push";
  const outcomes = [outcome([{ uris: ["a"], annotations: { x: canary }, via }, { uris: [] }]), outcome([{ uris: ["b"], via }])];
  expect(lineOf({ kind: "signed", ref, outcomes })).toEqual({
    ...about,
    level: "info",
    logger: "watcher",
    "knative.dev/pod": "pod-1",
    ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    routes: ["taskrun/slsa/v1", "taskrun/slsa/v1"],
    stored: ["a", "b"],
    via: [via],
    msg: "signed",
  });
});

test.each([
  [{ kind: "failed", ref, failures: [refused], final: false }, "warn", "not signed yet", { failures: [said] }],
  [{ kind: "failed", ref, failures: [refused], final: true }, "error", "given up", { failures: [said] }],
  [{ kind: "held", ref, outcomes: [], failures: [refused] }, "warn", "on hold", { failures: [said] }],
  [
    { kind: "orphaned", ref, entries: ["https://log.example/1"] },
    "warn",
    "the log has entries that nothing stored belongs to",
    { code: "witness.orphan-entry", entries: ["https://log.example/1"] },
  ],
  [{ kind: "released", ref, waitedMs: 7 }, "warn", "finalizer released unsigned", { waitedMs: 7 }],
  [{ kind: "visit-failed", key: "TaskRun/ci/build", error: refused, againInMs: 7.4 }, "warn", "visit failed", { ...said, againInMs: 7 }],
] as const)("%j", (news, level, msg, more) => {
  const line = lineOf(news);
  expect(line).toMatchObject({ level, msg, "knative.dev/key": "ci/build", ...more });
});

test("an unknown exception's message is never told, in whatever news", () => {
  const unknown = { code: "unknown.exception", retry: "counted", reason: expect.stringMatching(/unexpected TypeError/) };
  expect(lineOf({ kind: "failed", ref, failures: [bug, canary], final: false })).toMatchObject({ failures: [unknown, {}] });
  expect(lineOf({ kind: "visit-failed", key: "TaskRun/ci/build", error: bug, againInMs: 1 })).toMatchObject(unknown);
  expect(lineOf({ kind: "trouble", what: "the watch is interrupted", error: bug })).toMatchObject({ msg: "the watch is interrupted" });
});

test("the level decides, and without a pod no pod is named", () => {
  const lines: string[] = [];
  const log = watcherLog("error", {}, { write: (line) => lines.push(line) });
  speakTo(log)({ kind: "released", ref, waitedMs: 1 });
  log.error("x");
  expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual([["level", "ts", "logger", "msg"]]);
});
