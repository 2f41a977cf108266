/** A kind that the server keeps. */
export interface Resource {
  /** "" is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  /** Custom resources count generations, keep status apart and know no strategic merge patch. */
  readonly custom: boolean;
  /** status is written through its subresource alone. */
  readonly status: boolean;
}

const core = { group: "", version: "v1", namespaced: true, custom: false, status: false };
const tekton = { group: "tekton.dev", version: "v1", namespaced: true, custom: true, status: true };

export const resources: readonly Resource[] = [
  { ...core, kind: "Namespace", plural: "namespaces", shortNames: ["ns"], namespaced: false, status: true },
  { ...core, kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"] },
  { ...core, kind: "Secret", plural: "secrets" },
  { ...core, kind: "ServiceAccount", plural: "serviceaccounts", shortNames: ["sa"] },
  { ...core, kind: "Event", plural: "events", shortNames: ["ev"] },
  { ...core, group: "coordination.k8s.io", kind: "Lease", plural: "leases" },
  { ...tekton, kind: "TaskRun", plural: "taskruns", shortNames: ["tr", "trs"] },
  { ...tekton, kind: "PipelineRun", plural: "pipelineruns", shortNames: ["pr", "prs"] },
];

export const groupVersion = ({ group, version }: Pick<Resource, "group" | "version">): string => (group ? `${group}/${version}` : version);

/** "taskruns.tekton.dev", as error texts name it. */
export const qualified = ({ plural, group }: Resource): string => (group ? `${plural}.${group}` : plural);
