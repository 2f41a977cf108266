import { setTimeout as sleep } from "node:timers/promises";
import { type Misbehaving, misbehave } from "@countersign/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Server } from "./harness/child.ts";
import { writeKubeconfig } from "./harness/kubeconfig.ts";
import { built, finished, type Kind, running, type System, startSystem } from "./harness/system.ts";
import "./harness/on-failure.ts";

/** A cluster that misbehaves, and people who do as they like: the run is signed all the same, or it is said why not. */
let system: System;
let gate: Misbehaving;
let kubeconfig: string;
let controller: Server | undefined;
const image = `registry.example/app@sha256:${"a".repeat(64)}`;
const note = async (name: string, key = "signed", kind: Kind = "taskrun") =>
  (await system.annotations(kind, name))[`chains.tekton.dev/${key}`];
const signed = (name: string, kind: Kind = "taskrun") => expect.poll(() => note(name, "signed", kind), { timeout: 40_000 }).toBe("true");
const kubectl = (...args: string[]) => system.api.kubectl(args);

beforeAll(async () => {
  system = await startSystem();
  gate = await misbehave(system.api.url, { targetCa: system.api.ca });
  const token = await system.api.serviceAccountToken("tekton-chains", "tekton-chains-controller", "--duration=8h");
  kubeconfig = writeKubeconfig(`${system.api.folder}/gate.kubeconfig`, { url: gate.url, token, namespace: "tekton-chains" });
  await system.configure({ "artifacts.oci.storage": "tekton" });
});
afterEach(async () => {
  gate.fault = () => undefined;
  await controller?.stop();
});
afterAll(async () => {
  await gate?.close();
  await system?.stop();
});
const start = async (...args: readonly string[]) => {
  controller = await system.controller({ kubeconfig, args });
};

test("the API server is restarted while runs are under way", async () => {
  await start();
  await system.put({ kind: "taskrun", name: "before", status: running });
  await sleep(1_000);
  await system.api.restart();
  await system.status("taskrun", "before", built(image));
  await system.put({ kind: "taskrun", name: "after", status: built(image) });
  await signed("before");
  await signed("after");
  expect(await note("before", "retries")).toBeUndefined();
});

test("a watch that hangs without a word is taken for dead, and what was missed is seen", async () => {
  await start("--watch-idle=3");
  await sleep(500);
  // Every watch from now on is taken by a peer that never says anything; those that are open are cut.
  let mute = true;
  gate.fault = ({ path }) => (mute && path.includes("watch=1") ? { kind: "half-open" } : undefined);
  gate.cutAll();
  await sleep(500);
  await system.put({ kind: "taskrun", name: "missed", status: built(image) });
  await sleep(1_500);
  expect(await note("missed")).toBeUndefined();
  mute = false;
  await signed("missed");
  expect(controller?.logs()).toContain("the watch on taskruns is interrupted");
});

test("an API server that answers 500, 429 or nothing to the mark is waited for; no try is counted, nothing doubles", async () => {
  await start();
  const faults = [
    { kind: "status", status: 500 },
    { kind: "status", status: 429, headers: { "retry-after": "1" } },
    { kind: "lost-answer" },
  ] as const;
  let left = faults.length;
  gate.fault = ({ method, path }) =>
    method === "PATCH" && path.includes("taskruns/bumpy") && path.includes("fieldManager=tekton-chains-controller&") && left > 0
      ? faults[faults.length - left--]
      : undefined;
  await system.put({ kind: "taskrun", name: "bumpy", status: built(image) });
  await signed("bumpy");
  expect([left, await note("bumpy", "retries")]).toEqual([0, undefined]);
});

test("a missing verb is named in the log and in the Event; once granted, the run is signed", async () => {
  const role = JSON.parse((await kubectl("get", "clusterrole", "tekton-chains-controller-cluster-access", "-o", "json")).stdout);
  const without = {
    ...role,
    rules: role.rules.map((rule: { verbs: string[] }) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== "patch") })),
  };
  await system.api.kubectl(["replace", "-f", "-"], { input: JSON.stringify(without) });
  await start();
  await system.put({ kind: "taskrun", name: "forbidden", status: built(image) });
  await expect
    .poll(
      async () =>
        (await system.events())
          .filter(({ involvedObject }) => involvedObject.name === "forbidden")
          .map(({ message }) => message)
          .join(),
      { timeout: 20_000 },
    )
    .toMatch(/verb "patch" on taskruns.*grant it/);
  expect(controller?.logs()).toMatch(/verb \\"patch\\" on taskruns/);
  const {
    metadata: { resourceVersion: _, ...metadata },
    ...rest
  } = role;
  await system.api.kubectl(["replace", "-f", "-"], { input: JSON.stringify({ ...rest, metadata }) });
  await signed("forbidden");
});

test("foreign annotations and finalizers are untouched, a foreign hand on ours is overruled", async () => {
  await start();
  await system.put({
    kind: "taskrun",
    name: "shared",
    annotations: { "team/owner": "me", "chains.tekton.dev/transparency-upload": "no" },
    status: running,
  });
  await kubectl("patch", "taskrun", "shared", "--type=merge", '-p={"metadata":{"finalizers":["foreign.dev/keep"]}}');
  // The finalizer of the controller, taken off by somebody: seen, and put on again.
  await expect
    .poll(async () => (await kubectl("get", "taskrun", "shared", "-o", "jsonpath={.metadata.finalizers}")).stdout, { timeout: 10_000 })
    .toContain("chains.tekton.dev/taskrun");
  await system.status("taskrun", "shared", built(image));
  await signed("shared");
  const annotations = await system.annotations("taskrun", "shared");
  expect(annotations).toMatchObject({ "team/owner": "me", "chains.tekton.dev/transparency-upload": "no" });
  await expect
    .poll(async () => (await kubectl("get", "taskrun", "shared", "-o", "jsonpath={.metadata.finalizers}")).stdout)
    .toBe('["foreign.dev/keep"]');
});

test("a mark that was there before the run was done is not believed", async () => {
  await start();
  await system.put({ kind: "taskrun", name: "copied", annotations: { "chains.tekton.dev/signed": "true" }, status: running });
  await sleep(1_000);
  await system.status("taskrun", "copied", built(image));
  await expect
    .poll(async () => Object.keys(await system.annotations("taskrun", "copied")).some((key) => key.includes("/payload-taskrun-")), {
      timeout: 15_000,
    })
    .toBe(true);
  expect(await note("copied")).toBe("true");
});

test("recreated under its name between the look and the mark: the new one is signed as itself", async () => {
  await start();
  let swapped = false;
  let uid = "";
  gate.fault = ({ method, path }) => {
    if (swapped || method !== "PATCH" || !path.includes("taskruns/twin")) return undefined;
    return { kind: "delay", ms: 2_000 };
  };
  await system.put({ kind: "taskrun", name: "twin", status: built(image) });
  await expect.poll(() => gate.count("PATCH", /taskruns\/twin/), { timeout: 10_000 }).toBe(1);
  await kubectl("delete", "taskrun", "twin", "--wait=false");
  swapped = true;
  uid = (await system.put({ kind: "taskrun", name: "twin", status: built(image) })).uid;
  await signed("twin");
  const keys = Object.keys(await system.annotations("taskrun", "twin")).filter((key) => key.includes("/payload-taskrun-"));
  expect(keys).toEqual([`chains.tekton.dev/payload-taskrun-${uid}`]);
});

test("a deleted run is let go: while it works at once, when it is done after its attestation", async () => {
  await start();
  await system.put({ kind: "taskrun", name: "stopped", status: running });
  await expect
    .poll(async () => (await kubectl("get", "taskrun", "stopped", "-o", "jsonpath={.metadata.finalizers}")).stdout, { timeout: 10_000 })
    .toContain("chains");
  await kubectl("delete", "taskrun", "stopped", "--timeout=15s");
  await system.put({ kind: "pipelinerun", name: "whole", status: finished() });
  await signed("whole", "pipelinerun");
  await kubectl("delete", "pipelinerun", "whole", "--timeout=15s");
});

test("ten runs at once, and not one exception", async () => {
  await start();
  for (let n = 0; n < 10; n++) await system.put({ kind: "taskrun", name: `last-${n}`, status: built(image) });
  const marks = () => Promise.all(Array.from({ length: 10 }, (_, n) => note(`last-${n}`)));
  await expect.poll(async () => (await marks()).filter((mark) => mark === "true").length, { timeout: 20_000 }).toBe(10);
  expect(controller?.logs()).not.toContain("unexpected");
});
