import type { Annotations, Call, RunRef } from "@countersign/core";
import { applyAnnotations, applyFinalizers, pathOf, resourceOf } from "./apply.ts";
import type { KubeConnection } from "./connection.ts";
import { itemTexts } from "./item-texts.ts";
import { clusterFault, isNotFound } from "./kube-error.ts";

export type RunName = Omit<RunRef, "uid">;

/** The runs of a cluster, as texts: number spellings and key order decide payload bytes, so nobody parses and writes again. */
export interface Runs {
  /** Undefined: there is none of that name. */
  get(name: RunName, call: Call): Promise<string | undefined>;
  /** The TaskRuns that a PipelineRun started, by label; the caller picks those that its status names. */
  children(pipelineRun: RunName, call: Call): Promise<readonly string[]>;
  /** All annotations that we own, at once. */
  annotate(ref: RunRef, annotations: Annotations, call: Call): Promise<string>;
  finalizers(ref: RunRef, finalizers: readonly string[], call: Call): Promise<string>;
}

export function clusterRuns(connection: KubeConnection): Runs {
  const nameOf = ({ kind, namespace, name }: RunName): string => `${kind} ${namespace}/${name}`;
  const get: Runs["get"] = async (name, { signal }) => {
    try {
      return await connection.request({ verb: "get", resource: resourceOf(name.kind), path: pathOf(name), signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw clusterFault("read", `${nameOf(name)} could not be read`, error);
    }
  };
  return {
    get,
    async children({ namespace, name }, { signal }) {
      const path = `/apis/tekton.dev/v1/namespaces/${encodeURIComponent(namespace)}/taskruns`;
      const query = { labelSelector: `tekton.dev/pipelineRun=${name}` };
      try {
        return itemTexts(await connection.request({ verb: "list", resource: "taskruns", path, query, signal }));
      } catch (error) {
        throw clusterFault("read", `the TaskRuns of PipelineRun ${namespace}/${name} could not be listed`, error);
      }
    },
    async annotate(ref, annotations, call) {
      try {
        return await applyAnnotations(connection, ref, annotations, call);
      } catch (error) {
        throw clusterFault("mark", `${nameOf(ref)} could not be annotated`, error);
      }
    },
    async finalizers(ref, finalizers, call) {
      try {
        return await applyFinalizers(connection, ref, finalizers, call);
      } catch (error) {
        throw clusterFault("mark", `the finalizer of ${nameOf(ref)} could not be written`, error);
      }
    },
  };
}
