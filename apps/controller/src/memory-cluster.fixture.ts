import { type Annotations, CountersignError, type RunRef } from "@countersign/core";
import type { Runs } from "@countersign/kube";

interface StoredRun {
  apiVersion: string;
  kind: RunRef["kind"];
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    annotations: Record<string, string>;
    finalizers: string[];
    labels?: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec: object;
  status: object;
}

/** Runs that know server-side apply: a manager's apply drops what it once named and names no more. */
export interface MemoryCluster extends Runs {
  put(run: {
    kind?: RunRef["kind"];
    name: string;
    uid?: string;
    annotations?: Annotations;
    labels?: Record<string, string>;
    status?: object;
    finalizers?: string[];
    deletionTimestamp?: string;
  }): StoredRun;
  readonly stored: Map<string, StoredRun>;
  /** "get TaskRun/ci/build", in order. */
  readonly requests: string[];
  readonly applied: Annotations[];
  /** Before and after each request. */
  step: (label: string) => Promise<void>;
  /** Annotations whose key contains this come back altered. */
  damage: string;
}

export function memoryCluster(): MemoryCluster {
  let version = 0;
  const owned = new Map<string, readonly string[]>();
  const keyOf = ({ kind, namespace, name }: Omit<RunRef, "uid">): string => `${kind}/${namespace}/${name}`;
  const find = (ref: RunRef): StoredRun => {
    const run = cluster.stored.get(keyOf(ref));
    if (run?.metadata.uid !== ref.uid) throw new CountersignError("mark.gone", "another run has its name now", { retry: "never" });
    run.metadata.resourceVersion = `${++version}`;
    return run;
  };
  const request = async (label: string): Promise<void> => {
    cluster.requests.push(label);
    await cluster.step(label);
  };
  const cluster: MemoryCluster = {
    stored: new Map(),
    requests: [],
    applied: [],
    damage: "",
    step: async () => undefined,
    put({
      kind = "TaskRun",
      name,
      uid = `uid-${name}`,
      annotations = {},
      finalizers = [],
      labels = {},
      deletionTimestamp,
      status = done(),
    }) {
      const metadata = {
        name,
        namespace: "ci",
        uid,
        resourceVersion: `${++version}`,
        annotations: { ...annotations },
        finalizers,
        labels,
        ...(deletionTimestamp && { deletionTimestamp }),
      };
      const run: StoredRun = { apiVersion: "tekton.dev/v1", kind, metadata, spec: {}, status };
      cluster.stored.set(`${kind}/ci/${name}`, run);
      owned.delete(uid);
      return run;
    },
    async get(name) {
      await request(`get ${keyOf(name)}`);
      const run = cluster.stored.get(keyOf(name));
      return run && JSON.stringify(run);
    },
    async children({ name }) {
      await request(`list ${name}`);
      const all = [...cluster.stored.values()].filter(
        (run) => run.kind === "TaskRun" && run.metadata.labels?.["tekton.dev/pipelineRun"] === name,
      );
      return all.map((run) => JSON.stringify(run));
    },
    async annotate(ref, annotations) {
      await request(`annotate ${keyOf(ref)}`);
      const { metadata } = find(ref);
      for (const key of owned.get(ref.uid) ?? []) if (!(key in annotations)) delete metadata.annotations[key];
      for (const [key, value] of Object.entries(annotations))
        metadata.annotations[key] = cluster.damage && key.includes(cluster.damage) ? value.slice(1) : value;
      owned.set(ref.uid, Object.keys(annotations));
      cluster.applied.push(annotations);
      await cluster.step(`annotated ${keyOf(ref)}`);
      return JSON.stringify({ metadata });
    },
    async finalizers(ref, finalizers) {
      await request(`finalizers ${keyOf(ref)}`);
      const { metadata } = find(ref);
      metadata.finalizers = [...metadata.finalizers.filter((one) => !one.startsWith("chains.tekton.dev")), ...finalizers];
      return JSON.stringify({ metadata });
    },
  };
  return cluster;
}

export const done = (more: object = {}): object => ({
  conditions: [{ type: "Succeeded", status: "True" }],
  completionTime: "2026-11-24T10:00:00Z",
  ...more,
});
export const running = (): object => ({ conditions: [{ type: "Succeeded", status: "Unknown" }] });
/** A finished TaskRun that built images, one for each digest letter. */
export const built = (...letters: readonly string[]): object =>
  done({
    results: letters.flatMap((letter) => [
      { name: `${letter}-IMAGE_URL`, type: "string", value: `r.io/${letter}pp` },
      { name: `${letter}-IMAGE_DIGEST`, type: "string", value: `sha256:${letter.repeat(64)}` },
    ]),
  });
