import type { Call, RunRef } from "@countersign/core";
import { type KubeConnection, listWatch, resourceOf } from "@countersign/kube";
import { type Projection, projectionOf } from "./projection.ts";

export interface RunWatchesOptions {
  readonly connection: KubeConnection;
  /** None: the whole cluster. */
  readonly namespaces: readonly string[];
  readonly idleMs: number | undefined;
  readonly seen: (run: Projection) => void;
  readonly gone: (run: Projection) => void;
  /** What is known by now: a new list tells which of it is there no more. */
  readonly known: () => Iterable<Projection>;
  /** A list is complete; ask `synced` whether all are. */
  readonly listed: () => void;
  readonly trouble: (what: string, error: unknown) => void;
}

export interface RunWatches {
  run(call: Call): Promise<void>;
  /** Both kinds were listed once, everywhere. */
  readonly synced: boolean;
}

interface Watched {
  readonly kind: RunRef["kind"];
  /** Undefined: the whole cluster. */
  readonly namespace: string | undefined;
}
/** What the keys of a watch's runs begin with. */
const folderOf = ({ kind, namespace }: Watched): string => `${kind}/${namespace ? `${namespace}/` : ""}`;

const kinds: readonly RunRef["kind"][] = ["TaskRun", "PipelineRun"];

/** One watch for each kind and namespace; of the objects only the projection is passed on. */
export function runWatches({ connection, namespaces, idleMs, seen, gone, known, listed, trouble }: RunWatchesOptions): RunWatches {
  const places = namespaces.length > 0 ? [...new Set(namespaces)] : [undefined];
  const watches = places.flatMap((namespace) => kinds.map((kind) => ({ kind, namespace })));
  const toSync = new Set(watches.map(folderOf));

  function watchOf({ kind, namespace }: Watched, call: Call): Promise<void> {
    const resource = resourceOf(kind);
    const folder = folderOf({ kind, namespace });
    const path = `/apis/tekton.dev/v1/${namespace ? `namespaces/${encodeURIComponent(namespace)}/` : ""}${resource}`;
    const listener = {
      seen,
      gone,
      listed(keys: ReadonlySet<string>): void {
        for (const run of known()) if (run.key.startsWith(folder) && !keys.has(run.key)) gone(run);
        toSync.delete(folder);
        listed();
      },
      trouble: (error: unknown): void => trouble(`the watch on ${resource} is interrupted`, error),
    };
    const project = (object: unknown): Projection => projectionOf(kind, object);
    return listWatch({ connection, resource, path, project, keyOf: ({ key }) => key, listener, ...(idleMs && { idleMs }) }, call);
  }

  return {
    async run(call) {
      await Promise.all(watches.map((one) => watchOf(one, call)));
    },
    get synced() {
      return toSync.size === 0;
    },
  };
}
