import { applyPatch } from "rfc6902";
import { isMap } from "./objects.ts";
import { badRequest, Refusal } from "./refusal.ts";

/** What a patch of some content type makes of an object. */
export function patched(type: string, isCustom: boolean, target: unknown, patch: unknown): unknown {
  if (type === "application/merge-patch+json") return merged(target, patch);
  if (type === "application/json-patch+json") return operated(target, patch);
  const isStrategic = type === "application/strategic-merge-patch+json" && !isCustom;
  if (isStrategic) return merged(target, patch, ["finalizers", "secrets", "imagePullSecrets"]);
  throw new Refusal(415, "UnsupportedMediaType", `this kind takes no patch of the type ${type}`);
}

/** RFC 7396; lists under a key of `sets` gain what they lack instead of being replaced, and directives ("$…") are not minded then. */
export function merged(target: unknown, patch: unknown, sets: readonly string[] = [], key = ""): unknown {
  const isSet = Array.isArray(target) && Array.isArray(patch) && sets.includes(key);
  if (isSet) return [...new Map([...target, ...patch].map((item) => [JSON.stringify(item), item])).values()];
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
