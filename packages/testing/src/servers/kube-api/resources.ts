/** A kind that the server keeps; the core group is "". */
export interface Resource {
  readonly apiVersion: string;
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Custom resources count generations, keep status apart and know no strategic merge patch. */
  readonly custom: boolean;
}

const core = { apiVersion: "v1", group: "", namespaced: true, custom: false, shortNames: [] };
const tekton = { apiVersion: "tekton.dev/v1", group: "tekton.dev", namespaced: true, custom: true };

export const namespaces: Resource = { ...core, kind: "Namespace", plural: "namespaces", shortNames: ["ns"], namespaced: false };
export const resources: readonly Resource[] = [
  namespaces,
  { ...core, kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"] },
  { ...core, kind: "Secret", plural: "secrets" },
  { ...core, kind: "ServiceAccount", plural: "serviceaccounts", shortNames: ["sa"] },
  { ...core, kind: "Event", plural: "events", shortNames: ["ev"] },
  { ...core, apiVersion: "coordination.k8s.io/v1", group: "coordination.k8s.io", kind: "Lease", plural: "leases" },
  { ...tekton, kind: "TaskRun", plural: "taskruns", shortNames: ["tr", "trs"] },
  { ...tekton, kind: "PipelineRun", plural: "pipelineruns", shortNames: ["pr", "prs"] },
];
