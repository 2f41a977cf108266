import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "./harness/child.ts";
import { type Registry, startDockerRegistry } from "./harness/index.ts";
import { built, controllerUser, finished, pushImage, running, type System, startSystem } from "./harness/system.ts";
import "./harness/on-failure.ts";

/** A finished run, attested on a real cluster by the controller with its ServiceAccount's token, counted from the audit log. */
let system: System;
let registry: Registry;
let controller: Server;
const signed = (kind: "taskrun" | "pipelinerun", name: string) =>
  expect.poll(async () => (await system.annotations(kind, name))["chains.tekton.dev/signed"], { timeout: 20_000 }).toBe("true");

beforeAll(async () => {
  [system, registry] = await Promise.all([startSystem(), startDockerRegistry()]);
  await system.configure({ "artifacts.oci.storage": "tekton" });
  controller = await system.controller();
});
afterAll(async () => {
  await controller?.stop();
  await system?.stop();
  await registry?.stop();
});

/** The list a start begins with; the one for a PipelineRun's children names a label. */
const isFirstList = (verb: string, uri: string): boolean => verb === "list" && !uri.includes("labelSelector");

/** The controller's requests about runs since a mark, "patch taskruns/build". */
function requestsSince(from: number): readonly string[] {
  return system.api
    .requests({ user: controllerUser })
    .slice(from)
    .filter(
      ({ resource, verb, uri }) =>
        !isFirstList(verb, uri) && (resource === "taskruns" || resource === "pipelineruns" || resource === "events") && verb !== "watch",
    )
    .map(({ verb, resource, name }) => `${verb} ${resource}${name ? `/${name}` : ""}`);
}
const soFar = (): number => system.api.requests({ user: controllerUser }).length;
const settle = () => new Promise((resolve) => setTimeout(resolve, 1500));

test("a TaskRun first seen done costs one GET and one PATCH", async () => {
  const from = soFar();
  const image = await pushImage(registry, "team/app");
  // Nobody watches while it is made: whoever comes finds it done.
  await controller.stop();
  await system.put({ kind: "taskrun", name: "done-first", status: built(image) });
  controller = await system.controller();
  await signed("taskrun", "done-first");
  await settle();
  expect(requestsSince(from)).toEqual(["get taskruns/done-first", "patch taskruns/done-first"]);
  const annotations = await system.annotations("taskrun", "done-first");
  expect(Object.keys(annotations).filter((key) => key.startsWith("chains.tekton.dev/")).length).toBe(9);
});

test("seen running: two PATCHes more for the finalizer; no Event", async () => {
  const from = soFar();
  await system.put({ kind: "taskrun", name: "seen-running", status: running });
  await expect.poll(() => requestsSince(from).length, { timeout: 10_000 }).toBe(1);
  await system.status("taskrun", "seen-running", finished());
  await signed("taskrun", "seen-running");
  await settle();
  expect(requestsSince(from)).toEqual([
    "patch taskruns/seen-running",
    "get taskruns/seen-running",
    "patch taskruns/seen-running",
    "patch taskruns/seen-running",
  ]);
  expect(await system.events()).toEqual([]);
});

test("a PipelineRun with three children: at most 17 requests seen running, 9 first seen done; waiting costs none", async () => {
  const names = ["a", "b", "c"];
  const children = (pipe: string) =>
    names.map((name) => ({ apiVersion: "tekton.dev/v1", kind: "TaskRun", name: `${pipe}-${name}`, pipelineTaskName: name }));
  const labels = (pipe: string) => ({ "tekton.dev/pipelineRun": pipe });
  let from = soFar();
  await system.put({ kind: "pipelinerun", name: "live", status: { ...running, childReferences: children("live") } });
  for (const name of names) await system.put({ kind: "taskrun", name: `live-${name}`, labels: labels("live"), status: running });
  await expect.poll(() => requestsSince(from).length, { timeout: 10_000 }).toBe(4);
  await system.status("pipelinerun", "live", finished());
  await settle();
  expect(requestsSince(from)).toHaveLength(4);
  for (const name of names) await system.status("taskrun", `live-${name}`, finished());
  await signed("pipelinerun", "live");
  await settle();
  const seenRunning = requestsSince(from);
  expect(seenRunning.length).toBeLessThanOrEqual(17);

  await controller.stop();
  from = soFar();
  await system.put({ kind: "pipelinerun", name: "late", status: finished({ childReferences: children("late") }) });
  for (const name of names) await system.put({ kind: "taskrun", name: `late-${name}`, labels: labels("late"), status: finished() });
  controller = await system.controller();
  await signed("pipelinerun", "late");
  await settle();
  const firstDone = requestsSince(from);
  expect(firstDone.length).toBeLessThanOrEqual(9);
  expect(await system.events()).toEqual([]);
  console.log(`requests: seen running ${seenRunning.length}, first seen done ${firstDone.length}`);
});
