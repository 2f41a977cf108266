import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateKeyPair } from "@countersign/signers-x509";
import {
  aTaskRun,
  canary,
  type KubeApi,
  kubeApi,
  type Misbehaving,
  misbehave,
  type Registry,
  registry,
  type TaskRunBuilder,
} from "@countersign/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ControllerProcess, startController } from "./harness/controller-process.ts";

/**
 * The real controller against bad input of every kind. Each gives one sentence on the run (an Event) and in the log, and its retry
 * class; nothing crashes, other runs go on, and what is secret appears nowhere.
 */
let cluster: KubeApi;
let images: Registry;
let gate: Misbehaving;
let folder: string;
let digest: string;
let controller: ControllerProcess | undefined;

const password = "canary-password-7Qe1";
const dockerPassword = "canary-docker-auth-9f";
const dockerAuth = Buffer.from(`robot:${dockerPassword}`).toString("base64");
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
const keyBody = (): string => pair["cosign.key"].split("\n")[3] ?? "never";

beforeAll(async () => {
  pair = await generateKeyPair(password);
  images = await registry();
  gate = await misbehave(images.url);
  digest = images.seedImage("team/good");
  for (const name of ["refused", "forbidden", "large", "typed"]) images.seedImage(`team/${name}`);
});
beforeEach(async () => {
  cluster = await kubeApi({ namespaces: ["tekton-chains"] });
  folder = mkdtempSync(join(tmpdir(), "countersign-bad-"));
  mkdirSync(join(folder, "keys"));
  keys({ "cosign.key": pair["cosign.key"], "cosign.password": password });
  config({ "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci" });
  const credentials = { auths: { [gate.host]: { auth: dockerAuth } } };
  cluster.seed(
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" }, secrets: [{ name: "push" }] },
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/dockerconfigjson",
      metadata: { name: "push" },
      data: { ".dockerconfigjson": Buffer.from(JSON.stringify(credentials)).toString("base64") },
    },
  );
  gate.fault = ({ path }) => {
    if (path.includes("team/refused")) return { kind: "status", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
    if (path.includes("team/forbidden")) return { kind: "status", status: 403 };
    return undefined;
  };
});
afterEach(async () => {
  if (controller?.child.exitCode === null) await scrape();
  expect(lastMetrics).toContain("watcher_taskrun_marked_signed_total");
  assertNoCanary();
  controller?.child.kill("SIGKILL");
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await gate.close();
  await images.close();
});

function keys(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "keys", name), text);
}
function config(data: Readonly<Record<string, string>>): void {
  cluster.seed({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config", namespace: "tekton-chains" }, data });
}

async function start(): Promise<void> {
  controller = await startController({ cluster, folder });
}
const log = (): string => controller?.log() ?? "";

const build = (name: string, repository = `team/${name}`, host = gate.host): TaskRunBuilder =>
  aTaskRun().named(name).withServiceAccount("default").withResult("IMAGE_URL", `${host}/${repository}`).withResult("IMAGE_DIGEST", digest);
const seed = (...runs: readonly TaskRunBuilder[]): void => cluster.seed(...runs.map(({ object }) => object));
const annotations = (name: string): Readonly<Record<string, string>> =>
  cluster.peek("taskruns", "default", name)?.metadata.annotations ?? {};
const mark = (name: string, key = "signed"): string | undefined => annotations(name)[`chains.tekton.dev/${key}`];
const signed = (name: string) => expect.poll(() => mark(name), { timeout: 20_000 }).toBe("true");

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}
async function events(): Promise<readonly Event[]> {
  const { items } = (await (await fetch(`${cluster.url}/api/v1/namespaces/default/events`)).json()) as { items: Event[] };
  return items;
}
const logged = (code: string): boolean => log().includes(`"code":"${code}"`);

/** Neither what the process printed nor anything it wrote to the cluster holds a secret or a registry's words. */
function assertNoCanary(): void {
  const written = ["good", "missing", "refused", "forbidden", "unreachable", "large", "typed", "statusless"].map((name) =>
    JSON.stringify(annotations(name)),
  );
  const told = [log(), lastMetrics, ...written, ...lastEvents].join("\n");
  for (const secret of [password, dockerPassword, dockerAuth, canary, keyBody()]) expect(told).not.toContain(secret);
}
let lastEvents: readonly string[] = [];
let lastMetrics = "";
async function scrape(): Promise<void> {
  lastMetrics = (await controller?.metrics()) ?? "";
}
async function eventFor(name: string, sentence: RegExp): Promise<void> {
  const about = async () => {
    const all = await events();
    lastEvents = all.map(({ message }) => message);
    return all.filter(({ involvedObject }) => involvedObject.name === name).map(({ message }) => message);
  };
  await expect.poll(about, { timeout: 20_000 }).toContainEqual(expect.stringMatching(sentence));
}

describe("the key", () => {
  const rows = [
    ["no key at all", { "cosign.key": undefined, "cosign.password": undefined }, "sign.key-missing", /x509\.pem.*cosign\.key/],
    ["a wrong password", { "cosign.password": "not it" }, "sign.password-wrong", /cosign\.password/],
    ["a password with a trailing newline", { "cosign.password": `${password}\n` }, "sign.password-wrong", /newline/],
    ["a key that is none", { "cosign.key": "nonsense" }, "sign.key-unreadable", /cosign\.key/],
  ] as const;
  test.each(rows)("%s: on hold, one Event for the route, nothing counted; a good key wakes it", async (_what, files, code, sentence) => {
    for (const [name, text] of Object.entries(files)) {
      if (text === undefined) rmSync(join(folder, "keys", name));
      else keys({ [name]: text });
    }
    seed(build("good"), build("missing", "team/good"));
    await start();
    await expect.poll(() => logged(code), { timeout: 20_000 }).toBe(true);
    expect(log()).toContain('"retry":"hold"');
    await sleep(500);
    const about = (await events()).filter(({ message }) => sentence.test(message));
    expect(about.length).toBeGreaterThanOrEqual(1);
    expect(about.length).toBeLessThanOrEqual(2); // one for each route, not for each run
    expect([mark("good"), mark("good", "retries"), mark("missing")]).toEqual([undefined, undefined, undefined]);
    keys({ "cosign.key": pair["cosign.key"], "cosign.password": password });
    await signed("good");
    await signed("missing");
  });
});

describe("the configuration", () => {
  test("a value that is refused: what was in force stays, with the key and the allowed values in the log", async () => {
    seed(build("good"));
    await start();
    await signed("good");
    config({ "artifacts.taskrun.format": "in-totto", "artifacts.oci.storage": "oci" });
    await expect.poll(log, { timeout: 10_000 }).toMatch(/chains-config is rejected/);
    expect(log()).toMatch(/artifacts\.taskrun\.format.*did you mean .{0,3}in-toto/);
    seed(build("missing", "team/good"));
    await signed("missing");
  });

  test("an unknown key is a warning with the nearest known one; the rest takes effect", async () => {
    config({ "artifacts.taskrun.storrage": "oci", "artifacts.taskrun.format": "slsa/v2alpha4" });
    seed(build("good"));
    await start();
    await signed("good");
    expect(log()).toContain("did you mean artifacts.taskrun.storage");
  });

  test("an unsupported plug-in holds its own route; the other goes on and is written down", async () => {
    config({ "artifacts.oci.storage": "gcs" });
    seed(build("good"));
    await start();
    await eventFor("good", /storage "gcs" is not supported yet/);
    await expect.poll(() => Object.keys(annotations("good")).some((key) => key.includes("/payload-taskrun-"))).toBe(true);
    expect(mark("good")).toBeUndefined();
    config({ "artifacts.oci.storage": "oci" });
    await signed("good");
  });
});

describe("registries and runs", () => {
  const rows = [
    [
      "unreachable",
      () => build("unreachable", "team/x", "127.0.0.1:1"),
      "store.registry-unavailable",
      "wait",
      /127\.0\.0\.1:1.*connection refused.*when the registry is back/,
    ],
    ["refused", () => build("refused"), "store.registry-denied", "counted", /401.*secret default\/push/s],
    ["forbidden", () => build("forbidden"), "store.registry-denied", "counted", /403.*secret default\/push/],
    [
      "large",
      () => build("large").withResult("log", "x".repeat(1_000_000)).withParam("p", "y".repeat(200_000)),
      "store.annotations-too-large",
      "never",
      /annotations.*262144/,
    ],
    [
      "typed",
      () => build("typed").withStatus({ results: [{ name: "x", type: 7, value: "y" }] }),
      "read.wrong-type",
      "never",
      /status\.results/,
    ],
  ] as const;
  test("each gives one sentence on the run and in the log, with its code and class; the others go on", async () => {
    seed(...rows.map(([, make]) => make()), build("good"));
    cluster.seed({ apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata: { name: "statusless" }, spec: {} });
    await start();
    await signed("good");
    const told: string[] = [];
    for (const [name, , code, retry, sentence] of rows) {
      await eventFor(name, sentence);
      const line =
        log()
          .split("\n")
          .find((one) => one.includes(`"knative.dev/key":"default/${name}"`) && one.includes('"code"')) ?? "";
      told.push(`${name}: ${/"code":"([^"]+)","retry":"([^"]+)"/.exec(line)?.slice(1).join(" ")}`);
      expect(code && retry).toBeTruthy();
    }
    expect(told).toEqual(rows.map(([name, , code, retry]) => `${name}: ${code} ${retry}`));
    expect([mark("unreachable"), mark("unreachable", "retries")]).toEqual([undefined, undefined]);
    expect(mark("refused", "retries")).toMatch(/[0-3]/);
    expect([mark("large"), mark("large", "retries")]).toEqual(["failed", "3"]);
    expect([mark("typed"), mark("typed", "retries")]).toEqual(["failed", "3"]);
    // A run without a status is not finished: guarded, and waited for.
    expect(cluster.peek("taskruns", "default", "statusless")?.metadata.finalizers).toEqual(["chains.tekton.dev/taskrun"]);
    expect(controller?.child.exitCode).toBeNull();
    await scrape();
    controller?.child.kill("SIGTERM");
    await expect.poll(() => controller?.child.exitCode, { timeout: 10_000 }).toBe(0);
  });
});
