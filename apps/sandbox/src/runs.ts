import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type KubeConnection, KubeError } from "@countersign/kube";
import { parseAllDocuments } from "yaml";
import type { Stage } from "./stage.ts";

export interface QuickstartRun {
  readonly kind: "TaskRun" | "PipelineRun";
  readonly name: string;
  readonly object: { readonly metadata: object; readonly status: object };
}

const folder = fileURLToPath(new URL("../../../examples/quickstart/", import.meta.url));
const withKey = ["taskrun-build-image.yaml", "pipelinerun-release.yaml", "taskrun-failed.yaml"];
const withoutKey = ["taskrun-keyless.yaml"];

/** The runs of examples/quickstart for each half of the story, their placeholders filled in. */
export function quickstartRuns(
  { registry, digest }: Pick<Stage, "registry" | "digest">,
  half: "with a key" | "without",
): readonly QuickstartRun[] {
  return (half === "without" ? withoutKey : withKey).flatMap((file) => {
    const text = readFileSync(folder + file, "utf8")
      .replaceAll("REGISTRY/", `${registry}/`)
      .replaceAll(/\bDIGEST\b/g, digest);
    return parseAllDocuments(text).map((document) => {
      const object = document.toJS() as QuickstartRun["object"] & { kind: QuickstartRun["kind"]; metadata: { name: string } };
      return { kind: object.kind, name: object.metadata.name, object };
    });
  });
}

const plural = { TaskRun: "taskruns", PipelineRun: "pipelineruns" } as const;
const signal = (): AbortSignal => AbortSignal.timeout(30_000);

/** Creates a run and then, as Tekton's controller would, writes its status. One of that name is replaced. */
export async function applyRun(connection: KubeConnection, namespace: string, { kind, name, object }: QuickstartRun): Promise<void> {
  const resource = plural[kind];
  const path = `/apis/tekton.dev/v1/namespaces/${namespace}/${resource}`;
  const { status, ...body } = object;
  await ignoring(404, connection.request({ verb: "delete", resource, path: `${path}/${name}`, signal: signal() }));
  await connection.request({ verb: "create", resource, path, body, signal: signal() });
  const contentType = "application/merge-patch+json";
  await connection.request({ verb: "patch", resource, path: `${path}/${name}/status`, body: { status }, contentType, signal: signal() });
}

export async function annotationsOf(
  connection: KubeConnection,
  namespace: string,
  { kind, name }: QuickstartRun,
): Promise<Readonly<Record<string, string>>> {
  const path = `/apis/tekton.dev/v1/namespaces/${namespace}/${plural[kind]}/${name}`;
  const text = await connection.request({ verb: "get", resource: plural[kind], path, signal: signal() });
  return (JSON.parse(text) as { metadata: { annotations?: Record<string, string> } }).metadata.annotations ?? {};
}

/** The namespace and the configuration of the story; what is there already is kept, but for the keys below. */
export async function configure(
  connection: KubeConnection,
  { systemNamespace, namespace }: Stage,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const name of new Set([systemNamespace, namespace]))
    await ignoring(
      409,
      connection.request({
        verb: "create",
        resource: "namespaces",
        path: "/api/v1/namespaces",
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
        signal: signal(),
      }),
    );
  const data = {
    "artifacts.taskrun.storage": "tekton,oci",
    "artifacts.pipelinerun.storage": "tekton,oci",
    "filter.managed-by": "countersign.dev/quickstart",
    ...more,
  };
  const path = `/api/v1/namespaces/${systemNamespace}/configmaps/chains-config`;
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config", namespace: systemNamespace }, data };
  const query = { fieldManager: "countersign-quickstart", force: true };
  await connection.request({
    verb: "patch",
    resource: "configmaps",
    path,
    query,
    contentType: "application/apply-patch+yaml",
    body,
    signal: signal(),
  });
}

async function ignoring(code: number, request: Promise<unknown>): Promise<void> {
  await request.catch((error: unknown) => {
    if (!(error instanceof KubeError && error.code === code)) throw error;
  });
}
