import { goTrim } from "./go-trim.ts";
import type { Result } from "./objects.ts";
import { textOf } from "./param-value.ts";

/** Names of results and parameters that speak of inputs and outputs. Case matters; a suffix needs no separator before it. */
export const hints = {
  gitUrl: "CHAINS-GIT_URL",
  gitCommit: "CHAINS-GIT_COMMIT",
  images: "IMAGES",
  imageUrl: "IMAGE_URL",
  imageDigest: "IMAGE_DIGEST",
  artifactUri: "ARTIFACT_URI",
  artifactDigest: "ARTIFACT_DIGEST",
  artifactInputs: "ARTIFACT_INPUTS",
  artifactOutputs: "ARTIFACT_OUTPUTS",
} as const;

export interface Pair {
  readonly location: string;
  readonly digest: string;
  /** The two results that gave it. */
  readonly names: readonly [string, string];
}

/**
 * Two results whose names differ only in the suffix belong together. Values are trimmed, empty ones skipped, of equal names the last wins,
 * half pairs vanish. The reference walks a Go map here, so its order changes from run to run; ours is that of first sight.
 */
export function pairsOf(results: readonly Result[], locationSuffix: string, digestSuffix: string): readonly Pair[] {
  const byMarker = new Map<string, { location?: string; digest?: string }>();
  for (const { name = "", value } of results) {
    const half = name.endsWith(locationSuffix) ? "location" : name.endsWith(digestSuffix) ? "digest" : undefined;
    if (half === undefined) continue;
    const text = goTrim(textOf(value));
    if (text === "") continue;
    const marker = name.slice(0, -(half === "location" ? locationSuffix : digestSuffix).length);
    const pair = byMarker.get(marker) ?? {};
    pair[half] = text;
    byMarker.set(marker, pair);
  }
  return [...byMarker].flatMap(([marker, { location, digest }]) =>
    location === undefined || digest === undefined
      ? []
      : [{ location, digest, names: [`${marker}${locationSuffix}`, `${marker}${digestSuffix}`] as const }],
  );
}
