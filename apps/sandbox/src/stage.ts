import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { kubeApi, registry } from "@countersign/testing";
import { type Sigstore, startSigstore } from "./keyless.ts";

/** Where the story happens: a cluster, a registry, a key, a CA and a log, and the controller as a process of its own. */
export interface Stage {
  readonly folder: string;
  readonly kubeconfig: string;
  /** "127.0.0.1:5000". */
  readonly registry: string;
  /** Of the image that lies there, for team/app, team/release and team/keyless. */
  readonly digest: string;
  /** Namespace of chains-config. */
  readonly systemNamespace: string;
  /** Namespace of the runs. */
  readonly namespace: string;
  readonly publicKey: string;
  readonly sigstore: Sigstore;
  /** What the controller logged so far. */
  controllerLog(): string;
  startController(): Promise<void>;
  /** Until its nth configuration is in force. */
  configured(nth: number): Promise<void>;
  close(): Promise<void>;
}

const sources = fileURLToPath(new URL("../../", import.meta.url));
const controllerBin = join(sources, "controller/src/bin.ts");
export const cliBin: string = join(sources, "cli/src/bin.ts");

export async function setStage(theirs: string | undefined): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  const images = await registry();
  const digest = images.seedImage("team/app", "latest");
  images.seedImage("team/release", "latest");
  images.seedImage("team/keyless", "latest");
  const sigstore = await startSigstore(folder);
  const cluster = theirs === undefined ? await kubeApi({ namespaces: ["tekton-chains"] }) : undefined;
  const kubeconfig = cluster ? sandboxKubeconfig(join(folder, "kubeconfig"), cluster.url) : (theirs ?? "");
  const own = "countersign-quickstart";
  const systemNamespace = cluster ? "tekton-chains" : own;
  const namespace = cluster ? "default" : own;
  let log = "";
  let child: ChildProcess | undefined;

  return {
    ...{ folder, kubeconfig, registry: images.host, digest, systemNamespace, namespace, sigstore },
    publicKey: join(folder, "keys", "cosign.pub"),
    controllerLog: () => log,
    startController() {
      const args = [
        controllerBin,
        "--kubeconfig",
        kubeconfig,
        "--signing-secrets",
        join(folder, "keys"),
        "--namespace",
        namespace,
        "--metrics-port=0",
        "--probe-port=0",
      ];
      child = spawn(process.execPath, args, {
        env: { ...process.env, SYSTEM_NAMESPACE: systemNamespace },
        stdio: ["ignore", "pipe", "pipe"],
      });
      return new Promise((resolve, reject) => {
        const hear = (chunk: Buffer): void => {
          log += chunk;
          if (log.includes('"configuration in force"')) resolve();
        };
        child?.stdout?.on("data", hear);
        child?.stderr?.on("data", hear);
        child?.once("exit", (code) => reject(new Error(`the controller ended with ${code}:\n${log.slice(-2000)}`)));
      });
    },
    async configured(nth) {
      const until = Date.now() + 30_000;
      while (log.split('"configuration in force"').length <= nth) {
        if (Date.now() > until) throw new Error("the controller did not take the new configuration within 30 s");
        await sleep(20);
      }
    },
    async close() {
      child?.removeAllListeners("exit");
      child?.kill("SIGTERM");
      await new Promise((resolve) => (child && child.exitCode === null ? child.once("exit", resolve) : resolve(undefined)));
      await cluster?.close();
      await images.close();
      await sigstore.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A kubeconfig is YAML, and JSON is YAML. */
function sandboxKubeconfig(file: string, server: string): string {
  const name = "countersign-sandbox";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: "default" } }],
    "current-context": name,
  };
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 });
  return file;
}
