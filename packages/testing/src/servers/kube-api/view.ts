import { isMap, type KubeObject } from "./objects.ts";
import type { Resource } from "./resources.ts";

type View = (items: readonly KubeObject[], list: { readonly of: Resource; readonly metadata: object } | undefined) => object;

/** How the client wants to see objects: whole, their metadata alone, or as a table with kubectl's columns. */
export function viewFor(accept: string): View {
  if (accept.includes("as=Table"))
    return (items, list) => table(items, list?.metadata ?? { resourceVersion: items[0]?.metadata.resourceVersion });
  const one: (object: KubeObject) => object = accept.includes("as=PartialObjectMetadata") ? partial : (object) => object;
  return (items, list) => {
    if (list === undefined) return one(items[0] as KubeObject);
    const whole = { apiVersion: list.of.group ? `${list.of.group}/${list.of.version}` : list.of.version, kind: `${list.of.kind}List` };
    const shape = one === partial ? { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadataList" } : whole;
    return { ...shape, metadata: list.metadata, items: items.map(one) };
  };
}

const partial = ({ metadata }: KubeObject): object => ({ apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata", metadata });

function table(items: readonly KubeObject[], metadata: object): object {
  const isRun = items.some((object) => object.apiVersion.startsWith("tekton.dev/"));
  const names = isRun ? ["Name", "Succeeded", "Reason", "Signed", "Age"] : ["Name", "Age"];
  const columnDefinitions = names.map((name) => ({
    name,
    type: "string",
    format: name === "Name" ? "name" : "",
    description: "",
    priority: 0,
  }));
  const rows = items.map((object) => {
    const { name, annotations, creationTimestamp = "" } = object.metadata;
    const succeeded = conditionOf(object);
    const age = `${Math.max(0, Math.round((Date.now() - Date.parse(creationTimestamp)) / 1000))}s`;
    const run = [succeeded["status"] ?? "", succeeded["reason"] ?? "", annotations?.["chains.tekton.dev/signed"] ?? ""];
    return { cells: [name, ...(isRun ? run : []), age], object: partial(object) };
  });
  return { kind: "Table", apiVersion: "meta.k8s.io/v1", metadata, columnDefinitions, rows };
}

function conditionOf(object: KubeObject): Readonly<Record<string, unknown>> {
  const status = object["status"];
  const conditions = isMap(status) && Array.isArray(status["conditions"]) ? status["conditions"] : [];
  return conditions.find((one) => isMap(one) && one["type"] === "Succeeded") ?? {};
}
