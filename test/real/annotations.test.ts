import { memoryLedger } from "@countersign/attest";
import { CountersignError, type Plan, route } from "@countersign/core";
import { simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { clusterRuns, type KubeConnection, kubeConnection, kubeconfigCredentials } from "@countersign/kube";
import { imagesOf, type Run } from "@countersign/tekton";
import { deterministicSigner, type World, world, worldAnnotations, worldTags } from "@countersign/testing/world";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownWrites } from "../../apps/controller/src/own-writes.ts";
import { patienceOf } from "../../apps/controller/src/patience.ts";
import { projectionOf } from "../../apps/controller/src/projection.ts";
import { reconcileRun } from "../../apps/controller/src/reconcile-run.ts";
import { built, type System, startSystem } from "./harness/system.ts";
import "./harness/on-failure.ts";

/** Visits against a real API server, with faults, restarts and foreign hands at random: no annotation is ever lost by an apply. */
let system: System;
let connection: KubeConnection;
const signal = AbortSignal.timeout(170_000);
const signer = deterministicSigner();
const provenance = slsaV02({ builderId: "b", deepInspection: false, format: "in-toto" });
const image = `registry.example/app@sha256:${"a".repeat(64)}`;
const faults = [
  {},
  { registry: new CountersignError("store.refused", "no", { retry: "counted" }) },
  { registry: new CountersignError("store.down", "down", { retry: "wait" }) },
] as const;

beforeAll(async () => {
  system = await startSystem();
  connection = await kubeConnection(await kubeconfigCredentials({ file: system.kubeconfig }));
});
afterAll(async () => {
  await connection?.close();
  await system?.stop();
});

/** A process of its own: its memory goes with it. */
function processOn(earth: World): (name: string) => Promise<unknown> {
  const runs = clusterRuns(connection);
  const plan: Plan<Run> = (run) => {
    const through = { signer, witnesses: [], backends: [worldAnnotations, worldTags(earth)] };
    return [route(run, provenance, through), ...imagesOf(run).map((one) => route(one, simplesigning(), through))];
  };
  const house = {
    ...{
      runs,
      plan,
      managedBy: [],
      ledger: memoryLedger(),
      patience: patienceOf(Date.now),
      own: ownWrites(),
      known: () => undefined,
      now: Date.now,
    },
    observe: <T>(_: unknown, __: string, work: () => Promise<T>) => work(),
    settings: { keepFinalizer: false, finalizerDeadlineMs: 300_000, transientDeadlineMs: undefined },
    tell: () => undefined,
    count: () => undefined,
    recovered: () => undefined,
    isForeign: () => false,
  };
  return async (name) => {
    const text = await runs.get({ kind: "TaskRun", namespace: "default", name }, { signal });
    return text && reconcileRun(projectionOf("TaskRun", JSON.parse(text)), house, { signal });
  };
}

test("no annotation is lost: 30 random histories of faults, restarts and other writers", async () => {
  let visits = 0;
  for (let seed = 1; seed <= 30; seed++) {
    let x = seed;
    const dice = (n: number): number => {
      x = (x * 48_271) % 2_147_483_647;
      return x % n;
    };
    const name = `history-${seed}`;
    const earth = world();
    await system.put({ kind: "taskrun", name, annotations: { "chains.tekton.dev/mine": "1", "team/owner": "me" }, status: built(image) });
    let visit = processOn(earth);
    let known: Readonly<Record<string, string>> = {};
    for (let turn = 0; turn < 25; turn++) {
      if (dice(2)) visit = processOn(earth);
      if (dice(3) === 0) await theirs(name, dice(2) ? `chains.tekton.dev/theirs-${turn}` : `other.dev/theirs-${turn}`);
      earth.down = faults[dice(3)] ?? {};
      await visit(name);
      visits++;
      const now = await system.annotations("taskrun", name);
      expect([seed, Object.keys(known).filter((key) => now[key] === undefined)]).toEqual([seed, []]);
      known = now;
      if (["true", "failed"].includes(now["chains.tekton.dev/signed"] ?? "")) break;
    }
    expect(["true", "failed"]).toContain(known["chains.tekton.dev/signed"]);
    expect(known).toMatchObject({ "chains.tekton.dev/mine": "1", "team/owner": "me" });
  }
  console.log(`30 histories, ${visits} visits, no annotation lost`);
});

/** Another manager's merge patch, between two visits. */
async function theirs(name: string, key: string): Promise<void> {
  const headers = { "content-type": "application/merge-patch+json" };
  const path = `/apis/tekton.dev/v1/namespaces/default/taskruns/${name}?fieldManager=somebody`;
  const { status } = await system.api.request(path, { method: "PATCH", headers, body: { metadata: { annotations: { [key]: "theirs" } } } });
  expect(status).toBe(200);
}
