import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateKeyPair } from "@countersign/signers-x509";
import { aTaskRun, type KubeApi, kubeApi, registry } from "@countersign/testing";

export interface ControllerFigure {
  readonly what: string;
  readonly runs: number;
  readonly runsPerSecond: number;
  /** Of the controller's process, user and system. */
  readonly cpuMsPerRun: number;
  readonly apiRequestsPerRun: number;
  readonly registryRequestsPerRun: number;
  readonly peakRssMb: number;
}

const cases = [
  ["annotations only", { "artifacts.taskrun.storage": "tekton", "artifacts.oci.signer": "none" }],
  ["annotations and registry, one image", { "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci" }],
] as const;

/** A backlog of finished TaskRuns, worked off by the real controller against the sandbox's servers in this process, on the same cores. */
export async function controllerBench(runs = 500): Promise<readonly ControllerFigure[]> {
  const figures: ControllerFigure[] = [];
  for (const [what, data] of cases) figures.push(await figure(what, data, runs));
  return figures;
}

async function figure(what: string, data: Readonly<Record<string, string>>, runs: number): Promise<ControllerFigure> {
  const [cluster, images] = [await kubeApi({ namespaces: ["tekton-chains"] }), await registry()];
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  cluster.seed({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config", namespace: "tekton-chains" }, data });
  for (let n = 0; n < runs; n++) {
    const digest = images.seedImage(`team/app-${n}`);
    cluster.seed(
      aTaskRun().named(`run-${n}`).withResult("IMAGE_URL", `${images.host}/team/app-${n}`).withResult("IMAGE_DIGEST", digest).object,
    );
  }
  const controller = await started(folder, cluster);
  try {
    const begun = performance.now();
    const marked = (): number => Array.from({ length: runs }, (_, n) => mark(cluster, `run-${n}`)).filter((one) => one === "true").length;
    while (marked() < runs) await sleep(100);
    const seconds = (performance.now() - begun) / 1000;
    const { cpuMs, peakRssMb } = usage(controller.pid ?? 0);
    const aboutRuns = cluster.seen.filter(({ resource, verb }) => resource === "taskruns" && (verb === "get" || verb === "patch"));
    return {
      ...{ what, runs, runsPerSecond: round(runs / seconds), cpuMsPerRun: round(cpuMs / runs), peakRssMb },
      apiRequestsPerRun: round(aboutRuns.length / runs),
      registryRequestsPerRun: round(images.seen.length / runs),
    };
  } finally {
    controller.kill("SIGKILL");
    await Promise.all([cluster.close(), images.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function started(folder: string, { url }: KubeApi): Promise<ChildProcess> {
  mkdirSync(join(folder, "keys"));
  const files = { ...(await generateKeyPair("bench")), "cosign.password": "bench" };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "keys", name), text);
  const entry = [{ name: "x", cluster: { server: url }, user: {}, context: { cluster: "x", user: "x" } }];
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify({ clusters: entry, users: entry, contexts: entry, "current-context": "x" }));
  const bin = join(import.meta.dirname, "../../apps/controller/src/bin.ts");
  const args = [bin, `--kubeconfig=${folder}/kubeconfig`, `--signing-secrets=${folder}/keys`, "--metrics-port=0", "--probe-port=0"];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, HOME: folder, SYSTEM_NAMESPACE: "tekton-chains" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk) => String(chunk).includes('"configuration in force"') && resolve());
    child.once("exit", (code) => reject(new Error(`the controller ended with ${code}`)));
  });
  return child;
}

const mark = (cluster: KubeApi, name: string): string | undefined =>
  cluster.peek("taskruns", "default", name)?.metadata.annotations?.["chains.tekton.dev/signed"];

/** Linux only: /proc tells of another process what getrusage tells of oneself. */
function usage(pid: number): { readonly cpuMs: number; readonly peakRssMb: number } {
  const [, user = "0", system = "0"] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  const [, peak = "0"] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { cpuMs: (Number(user) + Number(system)) * 10, peakRssMb: Math.round(Number(peak) / 1024) };
}

const round = (value: number): number => Math.round(value * 10) / 10;

export function controllerTable(figures: readonly ControllerFigure[]): string {
  const rows = figures.map(
    (f) => `| ${f.what} | ${f.runsPerSecond} | ${f.cpuMsPerRun} | ${f.apiRequestsPerRun} | ${f.registryRequestsPerRun} | ${f.peakRssMb} |`,
  );
  return [
    "| storage | runs/s | controller CPU ms/run | API requests/run | registry requests/run | peak RSS MB |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

if (import.meta.main) console.log(controllerTable(await controllerBench()));
