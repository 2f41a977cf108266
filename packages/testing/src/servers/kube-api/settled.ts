import { isDeepStrictEqual } from "node:util";
import { fixed, type KubeObject, type Metadata, only, without } from "./objects.ts";
import { invalid } from "./refusal.ts";
import type { Resource } from "./resources.ts";

export const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** What is stored when `next` is wanted: status has its own door, and identity is nobody's to choose. */
export function settledOf(of: Resource, live: KubeObject | undefined, next: KubeObject, subresource?: string): KubeObject {
  if (live && subresource) return { ...without(live, "status"), ...only(next, "status") };
  // A typed server leaves out what is empty.
  const empty = ["labels", "annotations", "finalizers"].filter((key) => Object.keys(next.metadata[key] ?? {}).length === 0);
  const identity = live ? only(live.metadata, "name", "namespace", ...fixed) : { uid: crypto.randomUUID(), creationTimestamp: now() };
  const metadata = { ...without(next.metadata, "generateName", "resourceVersion", ...fixed, ...empty), ...identity } as Metadata;
  const { name, annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) throw invalid(of, name, "metadata.name", `Invalid value: "${name}"`);
  const isLarge = Buffer.byteLength(Object.entries(annotations).flat().join("")) > 262_144;
  if (isLarge) throw invalid(of, name, "metadata.annotations", "Too long: may not be more than 262144 bytes");
  const isNew = finalizers.some((one) => !live?.metadata.finalizers?.includes(one));
  if (deletionTimestamp && isNew) throw invalid(of, name, "metadata.finalizers", "Forbidden: the object is being deleted");
  if (next["stringData"]) throw invalid(of, name, "stringData", "this server does not encode: give data in base64");
  if (!of.custom) return { ...next, metadata };
  const whole = { ...without(next, "status"), ...only(live, "status"), metadata };
  const isSame = live && isDeepStrictEqual(without(whole, "metadata", "status"), without(live, "metadata", "status"));
  return isSame ? whole : { ...whole, metadata: { ...metadata, generation: (live?.metadata.generation ?? 0) + 1 } };
}
