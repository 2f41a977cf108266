import { isMap, type KubeObject } from "./objects.ts";

/** The query's labelSelector and fieldSelector as one question. */
export function selector(query: URLSearchParams): (object: KubeObject) => boolean {
  const labels = (query.get("labelSelector") ?? "")
    .split(/,(?![^(]*\))/)
    .filter(Boolean)
    .map(labelTerm);
  const fields = (query.get("fieldSelector") ?? "").split(",").filter(Boolean).map(fieldTerm);
  return (object) => labels.every((term) => term(object.metadata.labels ?? {})) && fields.every((term) => term(object));
}

function labelTerm(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const [, key = "", not, list = ""] = /^\s*(\S+)\s+(not)?in\s*\((.*)\)\s*$/.exec(text) ?? [];
  const values = list.split(",").map((value) => value.trim());
  if (key) return (labels) => (Object.hasOwn(labels, key) && values.includes(labels[key] ?? "")) !== (not !== undefined);
  const [, name = "", sign, value = ""] = /^\s*!?([^=!\s]+)\s*(==|=|!=)?\s*(.*?)\s*$/.exec(text) ?? [];
  if (sign === undefined) return (labels) => Object.hasOwn(labels, name) !== text.trim().startsWith("!");
  return (labels) => (labels[name] === value) !== (sign === "!=");
}

function fieldTerm(text: string): (object: KubeObject) => boolean {
  const [, path = "", sign, value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(text) ?? [];
  const read = (object: KubeObject): unknown => path.split(".").reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), object);
  return (object) => ((read(object) ?? "") === value) !== (sign === "!=");
}
