import { isMap, type KubeObject } from "./objects.ts";

/** The query's labelSelector and fieldSelector as one question. */
export function selector(query: URLSearchParams): (object: KubeObject) => boolean {
  const field = (object: KubeObject, path: string): unknown =>
    path.split(".").reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), object) ?? "";
  const labels = termsOf(query.get("labelSelector"), ({ metadata }, key) => metadata.labels?.[key]);
  const fields = termsOf(query.get("fieldSelector"), field);
  return (object) => [...labels, ...fields].every((holds) => holds(object));
}

/** "a=b, c!=d, e, !f, g in (h, i), j notin (k)". */
function termsOf(text: string | null, read: (object: KubeObject, key: string) => unknown) {
  const terms = (text ?? "").split(/,(?![^(]*\))/).filter(Boolean);
  return terms.map((term) => {
    const [, absent, key = "", sign, value = ""] = /^\s*(!?)([^\s=!]+)\s*(==?|!=|in|notin)?\s*(.*?)\s*$/.exec(term) ?? [];
    if (sign === undefined) return (object: KubeObject) => (read(object, key) === undefined) === (absent === "!");
    const values = value.replace(/[()\s]/g, "").split(",");
    return (object: KubeObject) => values.includes(read(object, key) as string) === !/^(!=|notin)$/.test(sign);
  });
}
