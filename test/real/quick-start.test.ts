import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiServer, applyTektonCrds, type Etcd, startApiServer, startEtcd } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** `npm start -- --kubeconfig FILE`: the story of the quick start on somebody's own cluster. */
let etcd: Etcd;
let api: ApiServer;
beforeAll(async () => {
  etcd = await startEtcd();
  api = await startApiServer({ etcd });
  await applyTektonCrds(api);
});
afterAll(async () => {
  await api?.stop();
  await etcd?.stop();
});

test("the same story, in a namespace of its own, and a second time over the first", async () => {
  for (let time = 0; time < 2; time++) {
    const args = ["apps/sandbox/src/main.ts", "--kubeconfig", api.kubeconfig, "--output", "json"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: `${import.meta.dirname}/../..` });
    const { verified, runs } = JSON.parse(stdout);
    expect([verified, runs.length]).toEqual([true, 7]);
  }
  expect((await api.kubectl(["get", "taskruns", "-n", "countersign-quickstart", "-o", "name"])).stdout).toContain(
    "taskrun.tekton.dev/build-image",
  );
  expect((await api.kubectl(["get", "taskruns", "-n", "default", "-o", "name"])).stdout).toBe("");
});
