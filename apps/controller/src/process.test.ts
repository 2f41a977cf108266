import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "@countersign/signers-x509";
import { aTaskRun, freePort, type KubeApi, kubeApi, misbehave, registry } from "@countersign/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

/** The real process: what it says when it starts, while it waits, and how it ends. */
let cluster: KubeApi;
let folder: string;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  cluster = await kubeApi({ namespaces: ["tekton-chains"] });
  folder = mkdtempSync(join(tmpdir(), "countersign-process-"));
  closing.push(cluster.close, () => rmSync(folder, { recursive: true, force: true }));
  const pair = await generateKeyPair("pw");
  for (const [name, text] of Object.entries({ ...pair, "cosign.password": "pw" })) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, "kubeconfig"), kubeconfig(cluster.url));
});
afterEach(async () => {
  poison = "";
  for (const close of closing.splice(0).reverse()) await close();
});
function kubeconfig(server: string): string {
  const named = [{ name: "x", cluster: { server }, user: {}, context: { cluster: "x", user: "x" } }];
  return JSON.stringify({ clusters: named, users: named, contexts: named, "current-context": "x" });
}
const configure = (data: Readonly<Record<string, string>>) =>
  cluster.seed({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config", namespace: "tekton-chains" }, data });

interface Life {
  readonly child: ChildProcess;
  lines(): readonly Readonly<Record<string, unknown>>[];
  says(msg: string): Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<number | null>;
}
/** What goes wrong in the process beside its work, as a module that it loads first. */
let poison = "";
function start(...args: readonly string[]): Life {
  const all = [`--kubeconfig=${folder}/kubeconfig`, `--signing-secrets=${folder}`, "--metrics-port=0", "--probe-port=0", ...args];
  const loaded = poison ? ["--import", `data:text/javascript,${encodeURIComponent(poison)}`] : [];
  const env = { ...process.env, HOME: folder, SYSTEM_NAMESPACE: "tekton-chains" };
  const child = spawn(process.execPath, [...loaded, join(import.meta.dirname, "bin.ts"), ...all], { env });
  closing.push(() => child.kill("SIGKILL"));
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += chunk;
    });
  const lines = () => text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  const said = (msg: string) => lines().find((line) => line.msg === msg);
  return {
    child,
    lines,
    async says(msg) {
      await expect.poll(() => said(msg), { timeout: 10_000 }).toBeDefined();
      return said(msg);
    },
    ended: new Promise((resolve) => child.on("close", resolve)),
  };
}

test("it says that the configuration is missing, introduces its key once it is there, and is ready", async () => {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const life = start(`--probe-port=${port}`, `--metrics-port=${metricsPort}`);
  const get = async (at: number, path: string) => (await fetch(`http://127.0.0.1:${at}${path}`)).text();
  await life.says("waiting for chains-config");
  expect(await get(port, "/readiness")).toMatch(/there is no ConfigMap tekton-chains\/chains-config/);
  configure({ "artifacts.taskrun.format": "nonsense" });
  await life.says("chains-config is rejected; what was in force stays");
  expect(await get(port, "/readiness")).toMatch(/artifacts\.taskrun\.format/);
  configure({ "artifacts.taskrun.storage": "tekton" });
  await life.says("configuration in force");
  expect(await life.says("signing key")).toMatchObject({
    file: "cosign.key",
    algorithm: "ecdsa-sha256",
    keyid: expect.stringMatching(/^SHA256:/),
  });
  await expect.poll(() => get(port, "/readiness")).toBe("ok\n");
  expect(await get(metricsPort, "/metrics")).toMatch(/countersign_config_valid 1/);
  life.child.kill("SIGTERM");
  expect(await life.ended).toBe(0);
  expect(life.lines().at(-1)).toMatchObject({ msg: "stopped" });
}, 20_000);

test("a registry that hangs holds up the end no longer than the grace; the last line is there, and nothing was counted", async () => {
  const images = await registry();
  const gate = await misbehave(images.url);
  closing.push(images.close, gate.close);
  gate.fault = () => ({ kind: "half-open" });
  configure({ "artifacts.taskrun.storage": "oci" });
  cluster.seed(
    aTaskRun().named("build").withResult("IMAGE_URL", `${gate.host}/app`).withResult("IMAGE_DIGEST", images.seedImage("app")).object,
  );
  poison = "setInterval(() => undefined, 1000)"; // and something else that would keep the process
  const life = start("--grace=1");
  await expect.poll(() => gate.count("GET", /./), { timeout: 10_000 }).toBeGreaterThan(0);
  const begun = performance.now();
  life.child.kill("SIGTERM");
  expect(await life.ended).toBe(0);
  const took = performance.now() - begun;
  expect(took).toBeGreaterThan(900);
  expect(took).toBeLessThan(4_000);
  expect(life.lines().at(-1)).toMatchObject({ msg: "stopped" });
  expect(cluster.peek("taskruns", "default", "build")?.metadata.annotations ?? {}).toEqual({});
}, 20_000);

test("a second signal ends it at once, with 1", async () => {
  const images = await registry();
  const gate = await misbehave(images.url);
  closing.push(images.close, gate.close);
  gate.fault = () => ({ kind: "half-open" });
  configure({ "artifacts.taskrun.storage": "oci" });
  cluster.seed(
    aTaskRun().named("build").withResult("IMAGE_URL", `${gate.host}/app`).withResult("IMAGE_DIGEST", images.seedImage("app")).object,
  );
  const port = await freePort();
  const life = start("--grace=60", `--probe-port=${port}`);
  await expect.poll(() => gate.count("GET", /./), { timeout: 10_000 }).toBeGreaterThan(0);
  life.child.kill("SIGTERM");
  await life.says("stopping");
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect([health.status, await health.text()]).toEqual([500, "stopping\n"]);
  life.child.kill("SIGTERM");
  expect(await life.ended).toBe(1);
}, 20_000);

test.each(["Promise.reject(bug)", "(() => { throw bug })()"])(
  "%s that nobody catches: one line, without its message, and 1",
  async (code) => {
    configure({});
    poison = `const bug = new RangeError("canary"); setTimeout(() => ${code}, 1500)`;
    const life = start();
    expect(await life.ended).toBe(1);
    expect(life.lines().at(-1)).toMatchObject({ level: "fatal", reason: expect.stringMatching(/unexpected RangeError/) });
    expect(JSON.stringify(life.lines())).not.toContain("canary");
  },
);

test.each([
  ["a kubeconfig that is not there", (file: string) => rmSync(file), /kubeconfig is not there/],
  ["a broken one", (file: string) => writeFileSync(file, "users: [{token: canary-t0ken"), /is no valid kubeconfig/],
])("%s: one sentence, and 1", async (_what, spoil, sentence) => {
  spoil(join(folder, "kubeconfig"));
  const life = start();
  expect(await life.ended).toBe(1);
  expect(await life.says("could not start")).toMatchObject({ level: "error", reason: expect.stringMatching(sentence) });
  expect(JSON.stringify(life.lines())).not.toContain("canary");
});
