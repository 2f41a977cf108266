import { isDeepStrictEqual } from "node:util";
import { applyPatch } from "rfc6902";
import { isMap } from "./objects.ts";
import { badRequest, Refusal } from "./refusal.ts";

/** What a patch makes of an object, by the content type it came with. */
export const patches: Readonly<Record<string, (target: unknown, patch: unknown) => unknown>> = {
  "application/merge-patch+json": (target, patch) => merged(target, patch),
  "application/strategic-merge-patch+json": (target, patch) => merged(target, patch, ["finalizers", "secrets", "imagePullSecrets"]),
  "application/json-patch+json": operated,
};

/** RFC 7396; lists under a key of `sets` gain what they lack instead of being replaced, and directives ("$…") are not minded then. */
export function merged(target: unknown, patch: unknown, sets: readonly string[] = [], key = ""): unknown {
  if (Array.isArray(target) && Array.isArray(patch) && sets.includes(key)) {
    return [...target, ...patch.filter((item) => !target.some((old) => isDeepStrictEqual(old, item)))];
  }
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (sets.length === 0 || !name.startsWith("$")) result[name] = merged(result[name], value, sets, name);
  }
  return result;
}

/** RFC 6902; nothing of it takes effect when one operation does not. */
function operated(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch is a list of operations");
  const result = structuredClone(target);
  const failure = applyPatch(result, patch).find((error) => error !== null);
  if (failure) throw new Refusal(422, "Invalid", `the server rejected our request due to an error in our request: ${failure.message}`);
  return result;
}
