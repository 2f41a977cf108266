import { isMap, type JsonMap, sameJson } from "./objects.ts";
import { badRequest, Refusal } from "./refusal.ts";

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** As RFC 7396, but for the lists of our kinds whose elements have names of their own. */
export function strategicMergePatch(target: unknown, patch: unknown, key = ""): unknown {
  if (Array.isArray(patch) && key === "finalizers") return [...new Set([...listOf(target), ...patch])];
  if (Array.isArray(patch) && ["secrets", "imagePullSecrets"].includes(key)) {
    const fresh = patch.filter((item) => !listOf(target).some((old) => sameJson(old, item)));
    return [...listOf(target), ...fresh];
  }
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith("$")) continue;
    if (value === null) delete result[name];
    else result[name] = strategicMergePatch(result[name], value, name);
  }
  return result;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** RFC 6902. */
export function jsonPatch(target: JsonMap, operations: unknown): JsonMap {
  if (!Array.isArray(operations)) throw badRequest("a JSON patch is a list of operations");
  const root = { it: structuredClone(target) as unknown };
  for (const { op, path, from, value } of operations as { op: string; path: string; from?: string; value?: unknown }[]) {
    if (op === "add") put(root, path, value, true);
    else if (op === "replace") put(root, path, value, false);
    else if (op === "remove") take(root, path);
    else if (op === "move") put(root, path, take(root, from ?? ""), true);
    else if (op === "copy") put(root, path, structuredClone(read(root, from ?? "")), true);
    else if (op !== "test") throw badRequest(`unknown JSON patch operation ${op}`);
    else if (!sameJson(read(root, path), value)) throw unprocessable(`testing path ${path} failed`);
  }
  return root.it as JsonMap;
}

const unprocessable = (why: string): Refusal =>
  new Refusal(422, "Invalid", `the server rejected our request due to an error in our request: ${why}`);

/** The container that a pointer ends in, and its last step. */
function locate(root: { it: unknown }, path: string): { parent: Record<string, unknown> | unknown[]; key: string } {
  const steps = path.split("/").slice(1);
  let parent: unknown = root;
  let key = "it";
  for (const step of steps) {
    parent = (parent as JsonMap)[key];
    if (typeof parent !== "object" || parent === null) throw unprocessable(`there is no ${path}`);
    key = step.replaceAll("~1", "/").replaceAll("~0", "~");
  }
  return { parent: parent as Record<string, unknown> | unknown[], key };
}

function read(root: { it: unknown }, path: string): unknown {
  const { parent, key } = locate(root, path);
  return (parent as JsonMap)[key];
}

function put(root: { it: unknown }, path: string, value: unknown, add: boolean): void {
  const { parent, key } = locate(root, path);
  if (!add && !Object.hasOwn(parent, key)) throw unprocessable(`there is no ${path} to replace`);
  if (!Array.isArray(parent)) parent[key] = value;
  else parent.splice(key === "-" ? parent.length : Number(key), add ? 0 : 1, value);
}

function take(root: { it: unknown }, path: string): unknown {
  const { parent, key } = locate(root, path);
  if (!Object.hasOwn(parent, key)) throw unprocessable(`there is no ${path} to remove`);
  if (Array.isArray(parent)) return parent.splice(Number(key), 1)[0];
  const value = parent[key];
  delete parent[key];
  return value;
}
