import { isMap, type KubeObject } from "./objects.ts";

type Term = (object: KubeObject) => boolean;

/** The query's labelSelector and fieldSelector as one question. */
export function selector(query: URLSearchParams): Term {
  const field = (object: KubeObject, path: string): unknown =>
    path.split(".").reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), object) ?? "";
  const labels = termsOf(query.get("labelSelector"), ({ metadata }, key) => metadata.labels?.[key]);
  const fields = termsOf(query.get("fieldSelector"), field);
  return (object) => [...labels, ...fields].every((holds) => holds(object));
}

/** "a=b, c!=d, e, !f, g in (h, i), j notin (k)". */
function termsOf(text: string | null, read: (object: KubeObject, key: string) => unknown): readonly Term[] {
  const terms = (text ?? "").split(/,(?![^(]*\))/).filter(Boolean);
  return terms.map((term) => {
    const [, absent, key = "", sign, value = ""] = /^\s*(!?)([^\s=!]+)\s*(==?|!=|in|notin)?\s*(.*?)\s*$/.exec(term) ?? [];
    if (sign === undefined) return (object) => (read(object, key) === undefined) === (absent === "!");
    const values = value.replace(/[()\s]/g, "").split(",");
    return (object) => values.includes(read(object, key) as string) === !/^(!=|notin)$/.test(sign);
  });
}
