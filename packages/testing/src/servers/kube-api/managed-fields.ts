import { isMap, type JsonMap, type KubeObject, type ManagedFields, sameJson, without } from "./objects.ts";
import { fieldConflict } from "./refusal.ts";

/** Who writes, and how: one entry of managedFields. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource?: string | undefined;
}

/** Paths as FieldsV1 spells their steps, each joined to one string: f:key for maps, v:"element" for finalizers. */
type Fields = ReadonlySet<string>;

/** What no manager owns. */
const unowned = ["name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"];
const ownable = (object: JsonMap): JsonMap => {
  const metadata = isMap(object["metadata"])
    ? without(object["metadata"], ...unowned, "deletionTimestamp", "deletionGracePeriodSeconds")
    : {};
  const rest = without(object, "apiVersion", "kind", "metadata");
  return Object.keys(metadata).length > 0 ? { ...rest, metadata } : rest;
};

/**
 * Every leaf with its value. Maps are owned key by key, finalizers element by element, all other lists as a whole. With `containers`, what
 * holds them is there too: an update owns the map it made, an apply does not.
 */
function leavesOf(
  value: unknown,
  containers: boolean,
  path: readonly string[] = [],
  into: Map<string, unknown> = new Map(),
): Map<string, unknown> {
  const isSet = Array.isArray(value) && path.join() === "f:metadata,f:finalizers";
  const isFull = isSet || (isMap(value) && Object.keys(value).length > 0);
  if (!isFull && path.length > 0) return into.set(JSON.stringify(path), value);
  if (containers && path.length > 0 && path.join() !== "f:metadata") into.set(JSON.stringify(path), container);
  if (isSet) for (const item of value) into.set(JSON.stringify([...path, `v:${JSON.stringify(item)}`]), item);
  else if (isMap(value)) for (const [key, item] of Object.entries(value)) leavesOf(item, containers, [...path, `f:${key}`], into);
  return into;
}

const container = "a map or list";

/** In FieldsV1, "." is the thing itself beside what is in it; without anything in it the dot is left out. */
function fieldsOf(tree: JsonMap, path: readonly string[] = [], into: Set<string> = new Set()): Set<string> {
  for (const [step, below] of Object.entries(tree)) {
    if (step === ".") into.add(JSON.stringify(path));
    else if (isMap(below) && Object.keys(below).length > 0) fieldsOf(below, [...path, step], into);
    else into.add(JSON.stringify([...path, step]));
  }
  return into;
}

function treeOf(fields: Fields): object {
  const tree: Record<string, unknown> = {};
  for (const path of fields) {
    let node = tree;
    for (const step of JSON.parse(path) as string[]) {
      node[step] ??= {};
      node = node[step] as Record<string, unknown>;
    }
  }
  for (const path of fields) {
    const node = (JSON.parse(path) as string[]).reduce((at, step) => at[step] as Record<string, unknown>, tree);
    if (Object.keys(node).length > 0) node["."] = {};
  }
  return tree;
}

const isOwn = (entry: ManagedFields, writer: Writer): boolean =>
  entry.manager === writer.manager && entry.operation === writer.operation && entry.subresource === writer.subresource;

function entriesOf(
  old: readonly ManagedFields[] = [],
  apiVersion: string,
  writer: Writer,
  time: string,
  own: Fields,
  lost: Fields,
): readonly ManagedFields[] {
  const others = old
    .filter((entry) => !isOwn(entry, writer))
    .flatMap((entry) => {
      const kept = new Set([...fieldsOf(entry.fieldsV1 as JsonMap)].filter((field) => !lost.has(field)));
      return kept.size > 0 ? [{ ...entry, fieldsV1: treeOf(kept) }] : [];
    });
  if (own.size === 0) return others;
  const { manager, operation, subresource } = writer;
  const fresh = { manager, operation, apiVersion, time, fieldsType: "FieldsV1" as const, fieldsV1: treeOf(own) };
  const before = old.find((entry) => isOwn(entry, writer));
  const mine: ManagedFields = subresource === undefined ? fresh : { ...fresh, subresource };
  // The time moves only when the fields did.
  return [...others, before && sameJson(before.fieldsV1, mine.fieldsV1) ? { ...mine, time: before.time } : mine];
}

/** PUT, PATCH and POST: what changed now belongs to the writer alone, what vanished belongs to nobody. */
export function ownedAfterUpdate(live: KubeObject | undefined, next: KubeObject, writer: Writer, time: string): readonly ManagedFields[] {
  const before = leavesOf(live ? ownable(live) : {}, true);
  const after = leavesOf(ownable(next), true);
  const changed = [...after].filter(([field, value]) => !before.has(field) || !sameJson(before.get(field), value)).map(([field]) => field);
  const vanished = [...before.keys()].filter((field) => !after.has(field));
  const entry = live?.metadata.managedFields?.find((one) => isOwn(one, writer));
  const own = new Set(entry ? fieldsOf(entry.fieldsV1 as JsonMap) : []);
  for (const field of changed) own.add(field);
  for (const field of vanished) own.delete(field);
  return entriesOf(live?.metadata.managedFields, next.apiVersion, writer, time, own, new Set([...changed, ...vanished]));
}

/** Server-side apply: merge, take away what an earlier apply of this manager named and this one does not, refuse or force conflicts. */
export function applied(
  live: KubeObject | undefined,
  config: KubeObject,
  writer: Writer,
  time: string,
  force: boolean,
): { object: KubeObject; entries: readonly ManagedFields[] } {
  const wanted = leavesOf(ownable(config), false);
  const present = leavesOf(live ? ownable(live) : {}, false);
  const entries = live?.metadata.managedFields ?? [];
  const others = entries.filter((entry) => !isOwn(entry, writer)).map((entry) => ({ entry, fields: fieldsOf(entry.fieldsV1 as JsonMap) }));
  const differs = [...wanted]
    .filter(([field, value]) => present.has(field) && !sameJson(present.get(field), value))
    .map(([field]) => field);
  const conflicts = others.flatMap(({ entry, fields }) =>
    differs.filter((field) => fields.has(field)).map((field) => ({ manager: entry.manager, field: readable(field) })),
  );
  if (conflicts.length > 0 && !force) throw fieldConflict(conflicts);

  let next = merged(live ?? {}, config) as KubeObject;
  const mine = entries.find((entry) => isOwn(entry, writer));
  for (const field of mine ? fieldsOf(mine.fieldsV1 as JsonMap) : []) {
    const shared = others.some(({ fields }) => fields.has(field));
    if (!wanted.has(field) && !shared) next = removed(next, JSON.parse(field) as string[]) as KubeObject;
  }
  return { object: next, entries: entriesOf(entries, config.apiVersion, writer, time, new Set(wanted.keys()), new Set(differs)) };
}

/** ".metadata.annotations.example.com/x", as error texts spell a path. */
const readable = (field: string): string => (JSON.parse(field) as string[]).map((step) => `.${step.slice(2)}`).join("");

function merged(live: unknown, config: unknown, key = ""): unknown {
  if (Array.isArray(config) && Array.isArray(live) && key === "finalizers") return [...new Set([...live, ...config])];
  if (!isMap(live) || !isMap(config)) return config;
  const keys = new Set([...Object.keys(live), ...Object.keys(config)]);
  return Object.fromEntries([...keys].map((name) => [name, name in config ? merged(live[name], config[name], name) : live[name]]));
}

/** Maps and lists of metadata that became empty go too, as they do where they are omitted when empty. */
function removed(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return undefined;
  if (Array.isArray(value)) return value.filter((item) => `v:${JSON.stringify(item)}` !== step);
  if (!isMap(value)) return value;
  const key = step.slice(2);
  const below = rest.length === 0 ? undefined : removed(value[key], rest);
  const empty = below === undefined || (typeof below === "object" && below !== null && Object.keys(below).length === 0);
  return empty ? without(value, key) : { ...value, [key]: below };
}
