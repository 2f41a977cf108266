import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { generateKeyPair } from "@countersign/signers-x509";
import { type ApiServer, type ApiServerOptions, startApiServer } from "./api-server.ts";
import { type Server, startServer } from "./child.ts";
import { compileCache } from "./compile-cache.ts";
import { type Etcd, startEtcd } from "./etcd.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { Registry } from "./registries.ts";
import { request } from "./request.ts";
import { applyTektonCrds } from "./tekton-crds.ts";
import { tempFolder } from "./temp-folder.ts";

/** A cluster with Tekton's CRDs and our deployment's objects, and the controller outside it, let in as its ServiceAccount. */
export interface System {
  readonly api: ApiServer;
  readonly etcd: Etcd;
  /** cosign.key, cosign.password, cosign.pub of the controller. */
  readonly keys: string;
  readonly publicKey: string;
  /** Kubeconfig with the ServiceAccount's token and nothing more. */
  readonly kubeconfig: string;
  /** Creates a run and, as Tekton would, writes its status. */
  put(run: RunSpec): Promise<{ readonly uid: string }>;
  status(kind: Kind, name: string, status: object): Promise<void>;
  annotations(kind: Kind, name: string): Promise<Readonly<Record<string, string>>>;
  configure(data: Readonly<Record<string, string>>): Promise<void>;
  controller(how?: ControllerHow): Promise<Server>;
  events(
    reason?: string,
  ): Promise<readonly { readonly reason: string; readonly message: string; readonly involvedObject: { readonly name: string } }[]>;
  stop(): Promise<void>;
}
export type Kind = "taskrun" | "pipelinerun";
export interface RunSpec {
  readonly kind: Kind;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly status?: object;
}
export interface ControllerHow {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly kubeconfig?: string;
  readonly keys?: string;
}

export const controllerUser = "system:serviceaccount:tekton-chains:tekton-chains-controller";
const root = `${import.meta.dirname}/../../..`;

export async function startSystem(options: Partial<ApiServerOptions> = {}): Promise<System> {
  const etcd = await startEtcd();
  const api = await startApiServer({ ...options, etcd, auditLog: true });
  await applyTektonCrds(api);
  await api.kubectl(["apply", "-k", `${root}/deploy/base`]);
  const folder = tempFolder("system");
  const keys = `${folder}/keys`;
  const pair = await generateKeyPair("pass word");
  mkdirSync(keys);
  for (const [name, text] of Object.entries({ ...pair, "cosign.password": "pass word" }))
    writeFileSync(`${keys}/${name}`, text, { mode: 0o600 });
  const token = await api.serviceAccountToken("tekton-chains", "tekton-chains-controller", "--duration=8h");
  const kubeconfig = writeKubeconfig(`${folder}/controller.kubeconfig`, { url: api.url, ca: api.ca, token, namespace: "tekton-chains" });
  const path = (kind: Kind): string => `/apis/tekton.dev/v1/namespaces/default/${kind}s`;

  const status: System["status"] = async (kind, name, body) => {
    const headers = { "content-type": "application/merge-patch+json" };
    const answer = await api.request(`${path(kind)}/${name}/status`, {
      method: "PATCH",
      headers,
      body: { status: kind === "taskrun" ? { podName: "", ...body } : body },
    });
    if (answer.status !== 200) throw new Error(`status of ${kind} ${name}: ${answer.status} ${answer.text}`);
  };
  return {
    ...{ api, etcd, keys, publicKey: pair["cosign.pub"], kubeconfig, status },
    async put(run) {
      const spec = run.kind === "taskrun" ? { taskRef: { name: "build" } } : { pipelineRef: { name: "release" } };
      const metadata = { name: run.name, labels: run.labels, annotations: run.annotations };
      const body = { apiVersion: "tekton.dev/v1", kind: run.kind === "taskrun" ? "TaskRun" : "PipelineRun", metadata, spec };
      const answer = await api.request(path(run.kind), { method: "POST", body });
      if (answer.status !== 201) throw new Error(`create ${run.name}: ${answer.status} ${answer.text}`);
      if (run.status) await status(run.kind, run.name, run.status);
      return (answer.json() as { metadata: { uid: string } }).metadata;
    },
    async annotations(kind, name) {
      const run = (await api.request(`${path(kind)}/${name}`)).json() as { metadata?: { annotations?: Record<string, string> } };
      return run.metadata?.annotations ?? {};
    },
    async configure(data) {
      await api.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
        input: JSON.stringify({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "chains-config", namespace: "tekton-chains" },
          data,
        }),
      });
    },
    controller: async ({ args = [], env = {}, kubeconfig: as = kubeconfig, keys: from = keys } = {}) =>
      startServer(
        "countersign-controller",
        process.execPath,
        [
          `${root}/apps/controller/src/bin.ts`,
          `--kubeconfig=${as}`,
          `--signing-secrets=${from}`,
          "--metrics-port=0",
          "--probe-port=0",
          ...args,
        ],
        {
          ready: (logs) => logs.includes('"started"') || undefined,
          env: { ...process.env, HOME: folder, SYSTEM_NAMESPACE: "tekton-chains", ...(await compileCache()), ...env },
        },
      ),
    async events(reason) {
      const { items } = (await api.request("/api/v1/namespaces/default/events")).json() as {
        items: { reason: string; message: string; involvedObject: { kind: string; name: string } }[];
      };
      // The API server tells Events of its own, about its Service.
      const ours = items.filter(({ involvedObject: { kind } }) => kind === "TaskRun" || kind === "PipelineRun");
      return ours.filter((event) => !reason || event.reason === reason);
    },
    async stop() {
      await api.stop();
      await etcd.stop();
    },
  };
}

export const running = { conditions: [{ type: "Succeeded", status: "Unknown" }], startTime: "2026-11-24T10:00:00Z" };
export const finished = (more: object = {}): object => ({
  conditions: [{ type: "Succeeded", status: "True" }],
  startTime: "2026-11-24T10:00:00Z",
  completionTime: "2026-11-24T10:01:00Z",
  ...more,
});
export const built = (...images: readonly string[]): object =>
  finished({
    results: images.flatMap((image, n) => {
      const [url, digest] = image.split("@");
      return [
        { name: `i${n}-IMAGE_URL`, type: "string", value: url },
        { name: `i${n}-IMAGE_DIGEST`, type: "string", value: digest },
      ];
    }),
  });

/** An image with nothing in it, pushed; answers "host/repository@sha256:…". */
export async function pushImage({ url, host }: Pick<Registry, "url" | "host">, repository: string, label = "x"): Promise<string> {
  const blob = async (text: string): Promise<{ digest: string; size: number }> => {
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    const upload = await request(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const place = new URL(`${upload.headers["location"]}`, url);
    place.searchParams.set("digest", digest);
    const put = await request(place.href, { method: "PUT", body: text, headers: { "content-type": "application/octet-stream" } });
    if (put.status !== 201) throw new Error(`blob: ${put.status}`);
    return { digest, size: Buffer.byteLength(text) };
  };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    ...(await blob(JSON.stringify({ architecture: "amd64", os: "linux", label, rootfs: { type: "layers", diff_ids: [] } }))),
  };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] });
  const put = await request(`${url}/v2/${repository}/manifests/latest`, {
    method: "PUT",
    body: manifest,
    headers: { "content-type": mediaType },
  });
  if (put.status !== 201) throw new Error(`manifest: ${put.status} ${put.text}`);
  return `${host}/${repository}@sha256:${createHash("sha256").update(manifest).digest("hex")}`;
}
