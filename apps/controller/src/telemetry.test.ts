import type { Outcome } from "@countersign/attest";
import { CountersignError } from "@countersign/core";
import { anAttestation } from "@countersign/testing";
import { expect, test } from "vitest";
import { telemetry } from "./telemetry.ts";

const attestation = await anAttestation();
const canary = "canary-s3cret";
const start = (now: () => number = () => 10_000) => telemetry({ waiting: () => 3, held: () => 2 }, now);
/** Samples of the text form by "name{labels}". */
async function samples(of: ReturnType<typeof start>): Promise<Readonly<Record<string, number>>> {
  const lines = (await of.registry.metrics()).split("\n").filter((line) => line && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]));
}

test("the names of Tekton Chains are there from the start, with zero", async () => {
  const all = await samples(start());
  for (const kind of ["taskrun", "pipelinerun"]) {
    for (const name of ["sign_created", "payload_uploaded", "payload_stored", "marked_signed"])
      expect([name, all[`watcher_${kind}_${name}_total`]]).toEqual([name, 0]);
    for (const type of ["payload_creation", "marshal_payload", "signing", "storage", "tlog"])
      expect([type, all[`watcher_${kind}_signing_failures_total{error_type="${type}"}`]]).toEqual([type, 0]);
    const label = `{name="github.com.tektoncd.chains.pkg.reconciler.${kind}.Reconciler"}`;
    for (const name of [
      "depth",
      "adds_total",
      "retries_total",
      "unfinished_work_seconds",
      "queue_duration_seconds_count",
      "process_duration_seconds_count",
    ])
      expect([name, all[`kn_workqueue_${name}${label}`]]).toEqual([name, 0]);
  }
  expect(all['target_info{service_name="watcher"}']).toBe(1);
  expect(Object.keys(all).some((name) => name.startsWith("go_"))).toBe(true);
  expect(Object.keys(all).some((name) => name.startsWith("process_"))).toBe(true);
  expect(all).toMatchObject({ countersign_runs_waiting: 3, countersign_runs_held: 2 });
});

test("signatures, log entries, stores and marks are counted by kind", async () => {
  const seen = start();
  const entry = { kind: "log-entry", entry: {} } as never;
  const outcome = (more: Partial<Outcome>): Outcome => ({ route: "r", artifact: attestation.artifact, stored: [], failures: [], ...more });
  seen.attested("TaskRun", [
    outcome({
      attestation: { ...attestation, evidence: [entry, { kind: "timestamp", token: "" } as never] },
      stored: [{ uris: ["a"] }, { uris: ["b"] }, { uris: [] }],
    }),
    outcome({ attestation: { ...attestation, evidence: [] }, stored: [] }),
    outcome({ failures: [new Error("x")] }),
  ]);
  seen.signed("TaskRun", 9_000);
  seen.signed("PipelineRun", 0);
  const all = await samples(seen);
  expect(all).toMatchObject({
    watcher_taskrun_sign_created_total: 2,
    watcher_taskrun_payload_uploaded_total: 1,
    watcher_taskrun_payload_stored_total: 2,
    watcher_taskrun_marked_signed_total: 1,
    watcher_pipelinerun_sign_created_total: 0,
    watcher_pipelinerun_marked_signed_total: 1,
    'countersign_signed_after_seconds_bucket{le="1"}': 1,
    'countersign_signed_after_seconds_bucket{le="0.5"}': 0,
    countersign_signed_after_seconds_count: 1,
  });
});

test.each([
  ["format.x", "never", "payload_creation"],
  ["read.wrong-type", "never", "payload_creation"],
  ["sign.key-missing", "hold", "signing"],
  ["store.refused", "counted", "storage"],
  ["witness.down", "wait", "tlog"],
  ["read.api-unreachable", "wait", undefined],
  ["mark.read-back", "counted", undefined],
] as const)("%s (%s) is upstream's %s", async (code, retry, type) => {
  const seen = start();
  seen.failed("TaskRun", [new CountersignError(code, canary, { retry })], false);
  const all = await samples(seen);
  const counted = Object.entries(all).filter(([name, value]) => name.startsWith("watcher_taskrun_signing_failures") && value > 0);
  expect(counted.map(([name]) => name)).toEqual(type ? [`watcher_taskrun_signing_failures_total{error_type="${type}"}`] : []);
  expect(all[`countersign_failures_total{stage="${code.split(".")[0]}",code="${code}",retry="${retry}"}`]).toBe(1);
  expect(all["countersign_runs_failed_total"]).toBe(0);
});

test("given up, forced, configuration", async () => {
  const seen = start();
  seen.failed("PipelineRun", [new TypeError(canary)], true);
  seen.released();
  seen.configIs(true);
  expect(await samples(seen)).toMatchObject({
    countersign_runs_failed_total: 1,
    countersign_finalizers_forced_total: 1,
    countersign_config_valid: 1,
    'countersign_failures_total{stage="unknown",code="unknown.exception",retry="counted"}': 1,
  });
  seen.configIs(false);
  expect(await samples(seen)).toMatchObject({ countersign_config_valid: 0 });
});

test("an observed plug-in gives what it gives and throws what it throws", async () => {
  const seen = start();
  expect(await seen.observe("sign", "x509", async () => 7)).toBe(7);
  const bug = new Error(canary);
  await expect(seen.observe("store", "oci", () => Promise.reject(bug))).rejects.toBe(bug);
  expect(await samples(seen)).toMatchObject({
    'countersign_stage_seconds_count{stage="sign",plugin="x509",outcome="ok"}': 1,
    'countersign_stage_seconds_count{stage="store",plugin="oci",outcome="failed"}': 1,
  });
});

test("the queue, by kind", async () => {
  let now = 0;
  const seen = start(() => now);
  const { queue } = seen;
  for (const key of ["TaskRun/ci/a", "TaskRun/ci/b", "PipelineRun/ci/p"]) queue.queued(key);
  queue.started("TaskRun/ci/a", 20);
  queue.started("PipelineRun/ci/p", 20);
  now = 3_000;
  queue.ended("PipelineRun/ci/p", 3_000);
  queue.retried("PipelineRun/ci/p");
  const label = (kind: string) => `{name="github.com.tektoncd.chains.pkg.reconciler.${kind}.Reconciler"}`;
  expect(await samples(seen)).toMatchObject({
    [`kn_workqueue_depth${label("taskrun")}`]: 1,
    [`kn_workqueue_depth${label("pipelinerun")}`]: 0,
    [`kn_workqueue_adds_total${label("taskrun")}`]: 2,
    [`kn_workqueue_retries_total${label("pipelinerun")}`]: 1,
    [`kn_workqueue_queue_duration_seconds_sum${label("taskrun")}`]: 0.02,
    [`kn_workqueue_process_duration_seconds_sum${label("pipelinerun")}`]: 3,
    [`kn_workqueue_unfinished_work_seconds${label("taskrun")}`]: 3,
    [`kn_workqueue_unfinished_work_seconds${label("pipelinerun")}`]: 0,
  });
});

test("neither a secret nor a name from a run is ever in what is served", async () => {
  const seen = start();
  const { artifact } = attestation;
  const failure = new CountersignError("store.refused", `${canary} of team-secret/build-secret`, { retry: "counted" });
  for (const one of [failure, new Error(canary), canary, { code: canary }]) seen.failed("TaskRun", [one], true);
  seen.attested("TaskRun", [{ route: `r-${canary}`, artifact, stored: [{ uris: [canary] }], failures: [failure] }]);
  for (const step of ["queued", "retried"] as const) seen.queue[step]("TaskRun/team-secret/build-secret");
  seen.queue.started("TaskRun/team-secret/build-secret", 1);
  await seen.observe("store", "oci", () => Promise.reject(failure)).catch(() => undefined);
  const text = await seen.registry.metrics();
  expect(text).not.toMatch(/canary|secret/);
});
