import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { part } from "../parts/where.ts";
import { tool } from "./harness/index.ts";

/** `npm start -- --keep`, and kubectl against what it leaves running. */
let sandbox: ChildProcess;
let told = "";
let kubeconfig = "";
const kubectl = async (...args: string[]) =>
  (await tool("kubectl", [`--kubeconfig=${kubeconfig}`, `--cache-dir=${mkdtempSync(`${tmpdir()}/kubectl-`)}`, ...args])).stdout;

beforeAll(async () => {
  sandbox = spawn(process.execPath, ["apps/sandbox/src/main.ts", "--keep"], {
    cwd: `${import.meta.dirname}/../..`,
    env: { ...process.env, NO_COLOR: "1" },
  });
  sandbox.stdout?.on("data", (chunk) => {
    told += chunk;
  });
  for (let n = 0; n < 600 && !told.includes("To look for yourself"); n++) await sleep(100);
  kubeconfig = /--kubeconfig (\S+) get taskruns/.exec(told)?.[1] ?? "";
});
afterAll(async () => {
  sandbox.kill("SIGINT");
  await new Promise((resolve) => sandbox.once("exit", resolve));
});

test("get, -o yaml, wait", async () => {
  expect(await kubectl("get", "taskruns,pipelineruns")).toMatch(/build-image[\s\S]*release/);
  expect(await kubectl("get", "taskrun", "build-image", "-o", "yaml")).toContain('chains.tekton.dev/signed: "true"');
  expect(
    await kubectl(
      "wait",
      "taskrun/build-image",
      "--for=jsonpath={.metadata.annotations.chains\\.tekton\\.dev/signed}=true",
      "--timeout=5s",
    ),
  ).toContain("condition met");
});

test("get -w follows, patch --type=merge is seen", async () => {
  const watching = spawn(part("kubectl"), [`--kubeconfig=${kubeconfig}`, "get", "taskruns", "-w", "-o", "name"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let lines = "";
  watching.stdout.on("data", (chunk) => {
    lines += chunk;
  });
  const count = () => lines.split("\n").filter((line) => line === "taskrun.tekton.dev/lint-failed").length;
  await expect.poll(count, { timeout: 10_000 }).toBe(1);
  await kubectl("patch", "taskrun", "lint-failed", "--type=merge", '-p={"metadata":{"annotations":{"seen":"yes"}}}');
  await expect.poll(count, { timeout: 10_000 }).toBe(2);
  watching.kill("SIGKILL");
});

test("a patch of chains-config, as every guide shows it, changes the next attestation", async () => {
  await kubectl("patch", "configmap", "chains-config", "-n", "tekton-chains", '-p={"data":{"artifacts.taskrun.format":"slsa/v2alpha4"}}');
  const name = "after-patch";
  const run = { apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata: { name }, spec: { taskRef: { name: "t" } } };
  await tool("kubectl", [`--kubeconfig=${kubeconfig}`, "apply", "--server-side", "-f", "-"], { input: JSON.stringify(run) });
  const status = { podName: "", conditions: [{ type: "Succeeded", status: "True" }], completionTime: "2026-11-24T10:00:00Z" };
  await kubectl("patch", "taskrun", name, "--subresource=status", "--type=merge", `-p=${JSON.stringify({ status })}`);
  const payload = async () => {
    const annotations = JSON.parse(await kubectl("get", "taskrun", name, "-o", "json")).metadata.annotations ?? {};
    const key = Object.keys(annotations).find((one) => one.includes("/payload-taskrun-"));
    return key && JSON.parse(Buffer.from(annotations[key], "base64").toString()).predicateType;
  };
  await expect.poll(payload, { timeout: 15_000 }).toBe("https://slsa.dev/provenance/v1");
  await kubectl("delete", "taskrun", name);
  expect(await kubectl("get", "taskruns", "-o", "name")).not.toContain(name);
});

test("the commands it prints work", async () => {
  const commands = [...told.matchAll(/^ {2}npx countersign (.+)$/gm)].map(([, args]) => args?.split(" ") ?? []);
  expect(commands.length).toBeGreaterThanOrEqual(3);
  for (const args of commands) {
    const child = spawn(process.execPath, ["apps/cli/src/bin.ts", ...args], { cwd: `${import.meta.dirname}/../..` });
    expect([args.join(" "), await new Promise((resolve) => child.once("exit", resolve))]).toEqual([args.join(" "), 0]);
  }
});
