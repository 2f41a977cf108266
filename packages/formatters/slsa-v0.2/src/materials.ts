import type { Entry, Json, RefSource, StringMap } from "@countersign/tekton";

/** uri and digest, each only when it says something; a source without either is {}. */
export const materialsJson = (materials: readonly Entry[]): Json =>
  materials.map(({ name, digest }) => ({ digest: digest.size === 0 ? undefined : digest, uri: name === "" ? undefined : name }));

export type DigestOf = (source: RefSource) => StringMap | undefined;

/**
 * The digests of a task's or pipeline's source after merging. The reference merges materials into the very map that it read from the run,
 * so a source that had one algorithm in common with a later material shows the other's algorithms in configSource, too.
 */
export function sourceDigests(materials: readonly Entry[]): DigestOf {
  const merged = new Map<RefSource, StringMap>();
  for (const { refSource, digest } of materials) if (refSource) merged.set(refSource, digest);
  return (source) => merged.get(source) ?? source.digest;
}
