import { isDeepStrictEqual } from "node:util";
import { fixed, isMap, type JsonMap, type KubeObject, type ManagedFields, without } from "./objects.ts";
import { merged } from "./patches.ts";
import { Refusal } from "./refusal.ts";

type Entries = readonly ManagedFields[];
/** Steps as FieldsV1 spells them, f:key for maps, v:"element" for finalizers; and Fields, such paths as JSON texts. */
type Path = readonly string[];
type Fields = Path;

/** What of a value is owned piece by piece: the keys of a map, the elements of finalizers. Other lists are owned as a whole. */
function stepsInto(value: unknown, path: Path): readonly (readonly [step: string, item: unknown])[] | undefined {
  if (isMap(value) && Object.keys(value).length > 0) return Object.entries(value).map(([key, item]) => [`f:${key}`, item]);
  const isSet = Array.isArray(value) && path.join() === "f:metadata,f:finalizers";
  return isSet ? value.map((item) => [`v:${JSON.stringify(item)}`, item]) : undefined;
}

/** Every leaf with its value, and with `containers` what holds them: an update owns the map it made, an apply does not. */
function leavesOf(object: KubeObject | undefined, containers: boolean): ReadonlyMap<string, unknown> {
  const leaves = new Map<string, unknown>();
  const walk = (value: unknown, path: Path): void => {
    const steps = stepsInto(value, path);
    const isOwnable = path.length > 0 && path.join() !== "f:metadata";
    if (isOwnable && (!steps || containers)) leaves.set(JSON.stringify(path), steps ? "a container" : value);
    for (const [step, item] of steps ?? []) walk(item, [...path, step]);
  };
  const { apiVersion, kind, metadata, ...rest } = object ?? {};
  walk({ ...rest, metadata: without(metadata ?? {}, "name", "namespace", "resourceVersion", "managedFields", ...fixed) }, []);
  return leaves;
}

/** Maps and lists that become empty go too, as they do where they are omitted when empty. */
function pruned(value: unknown, gone: Fields, path: Path = []): unknown {
  if (gone.includes(JSON.stringify(path))) return undefined;
  const steps = stepsInto(value, path);
  if (steps === undefined) return value;
  const kept = steps.map(([step, item]) => [step.slice(2), pruned(item, gone, [...path, step])]).filter(([, item]) => item !== undefined);
  if (kept.length === 0) return undefined;
  return Array.isArray(value) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
}

/** In FieldsV1, "." is the thing itself beside what is in it; without anything in it the dot is left out. */
function fieldsOf(tree: JsonMap = {}, path: Path = []): Fields {
  const below = Object.entries(tree).flatMap(([step, inner]) => fieldsOf(inner as JsonMap, step === "." ? path : [...path, step]));
  return below.length > 0 || path.length === 0 ? below : [JSON.stringify(path)];
}

type Tree = { [step: string]: Tree };
function treeOf(fields: Fields): Tree {
  const tree: Tree = {};
  // The deepest first: what has something in it when its own turn comes gets the dot.
  for (const path of fields.map((field) => JSON.parse(field) as Path).sort((a, b) => b.length - a.length)) {
    let node = tree;
    for (const step of path) node = node[step] ??= {};
    if (Object.keys(node).length > 0) node["."] = {};
  }
  return tree;
}

const isOf = (a: JsonMap, b: JsonMap): boolean => ["manager", "operation", "subresource"].every((key) => a[key] === b[key]);

/** The writer (an entry without its fields) has `own`, nobody else what is in `lost`; the time moves only when the fields did. */
function rewritten(old: Entries, writer: JsonMap, own: Fields, lost: Fields): Entries {
  const fieldsV1 = treeOf(own);
  const entries = old.some((entry) => isOf(writer, entry)) ? old : [...old, { ...writer, fieldsV1: {} } as ManagedFields];
  const next = entries.map((entry) => {
    if (!isOf(writer, entry)) return { ...entry, fieldsV1: treeOf(fieldsOf(entry.fieldsV1).filter((field) => !lost.includes(field))) };
    return isDeepStrictEqual(entry.fieldsV1, fieldsV1) ? entry : ({ ...writer, fieldsV1 } as ManagedFields);
  });
  return next.filter((entry) => Object.keys(entry.fieldsV1).length > 0);
}

/** PUT, PATCH and POST: what changed now belongs to the writer alone, what vanished belongs to nobody. */
export function updated(live: KubeObject | undefined, next: KubeObject, writer: JsonMap): Entries {
  const [before, after] = [leavesOf(live, true), leavesOf(next, true)];
  const touched = [...before.keys(), ...after.keys()].filter((field) => !isDeepStrictEqual(before.get(field), after.get(field)));
  const entries = live?.metadata.managedFields ?? [];
  const had = entries.filter((entry) => isOf(writer, entry)).flatMap(({ fieldsV1 }) => fieldsOf(fieldsV1));
  const own = [...had, ...touched].filter((field) => after.has(field));
  return rewritten(entries, writer, own, touched);
}

/** Server-side apply: merge, take away what an earlier apply of this manager named and this one does not, refuse or force conflicts. */
export function applied(live: KubeObject | undefined, config: KubeObject, writer: JsonMap, isForced: boolean): [KubeObject, Entries] {
  const [before, wanted] = [leavesOf(live, false), leavesOf(config, false)];
  const lost = [...wanted.keys()].filter((field) => before.has(field) && !isDeepStrictEqual(before.get(field), wanted.get(field)));
  const entries = live?.metadata.managedFields ?? [];
  const claims = entries.flatMap((entry) => fieldsOf(entry.fieldsV1).map((field) => ({ field, entry, isMine: isOf(writer, entry) })));
  const clashes = claims.filter(({ field, isMine }) => !isMine && lost.includes(field));
  const causes = clashes.map(({ field, entry: { manager } }) => {
    const path = (JSON.parse(field) as Path).map((step) => `.${step.slice(2)}`).join("");
    return { reason: "FieldManagerConflict", message: `conflict with "${manager}"`, field: path };
  });
  const text = causes.map(({ message, field }) => `${message}: ${field}`).join("\n");
  if (text && !isForced) throw new Refusal(409, "Conflict", `Apply failed with ${causes.length} conflicts: ${text}`, { causes });
  const theirs = claims.filter(({ isMine }) => !isMine).map(({ field }) => field);
  const dropped = claims.map(({ field }) => field).filter((field) => !wanted.has(field) && !theirs.includes(field));
  const next = pruned(merged(live, config, ["finalizers"]), dropped) as KubeObject;
  return [next, rewritten(entries, writer, [...wanted.keys()], lost)];
}
