import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, type KubeApi } from "@countersign/testing";

/** The real controller as a process of its own before the sandbox's API server. */
export interface ControllerProcess {
  readonly child: ChildProcess;
  /** All that it printed so far. */
  log(): string;
  metrics(): Promise<string>;
}

export interface ControllerProcessOptions {
  readonly cluster: KubeApi;
  /** Home of the process; its key lies in "keys". */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Ready once a configuration was taken or rejected. */
export async function startController({ cluster, folder, env = {} }: ControllerProcessOptions): Promise<ControllerProcess> {
  const metricsPort = await freePort();
  const kubeconfig = join(folder, "kubeconfig");
  const named = [{ name: "x", cluster: { server: cluster.url }, user: {}, context: { cluster: "x", user: "x" } }];
  writeFileSync(kubeconfig, JSON.stringify({ clusters: named, users: named, contexts: named, "current-context": "x" }));
  const args = [
    "apps/controller/src/bin.ts",
    `--kubeconfig=${kubeconfig}`,
    `--signing-secrets=${folder}/keys`,
    `--metrics-port=${metricsPort}`,
    "--probe-port=0",
  ];
  const child = spawn(process.execPath, args, {
    cwd: `${import.meta.dirname}/../../..`,
    env: { ...process.env, HOME: folder, SYSTEM_NAMESPACE: "tekton-chains", ...env },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      log += chunk;
    });
  for (let n = 0; n < 300 && !/"configuration in force"|rejected/.test(log); n++) await sleep(50);
  return {
    child,
    log: () => log,
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
  };
}
