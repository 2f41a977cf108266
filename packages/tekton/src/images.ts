import type { Artifact } from "@countersign/core";
import { buildArtifacts } from "./artifact-results.ts";
import { goTrim } from "./go-trim.ts";
import { parseImageReference } from "./image-reference.ts";
import type { Entry } from "./merged-list.ts";
import type { Result } from "./objects.ts";
import { type Origin, type Place, resultOrigin } from "./origin.ts";
import { textOf } from "./param-value.ts";
import type { Run } from "./run.ts";
import { hints, pairsOf } from "./type-hints.ts";

/** An image that a TaskRun says it has pushed; its digest is signed by itself. */
export interface Image {
  readonly artifact: Artifact;
  /** Normalised: "<registry>/<repository>". */
  readonly repository: string;
  /** 64 hex digits of sha256. */
  readonly digest: string;
  readonly run: Run;
}

/** The images to be signed: of a TaskRun's own results. Neither a PipelineRun's results nor those of single steps name any. */
export function imagesOf(run: Run): readonly Image[] {
  if (run.kind === "PipelineRun") return [];
  return imageEntries(run.results, { run: run.ref }).map(({ name, digest }) => {
    const hex = digest.get("sha256") ?? "";
    return {
      artifact: {
        kind: "image",
        run: run.ref,
        serviceAccount: run.serviceAccount,
        shortKey: hex.slice(0, 12),
        fullKey: `${name}@sha256:${hex}`,
      },
      repository: name,
      digest: hex,
      run,
    };
  });
}

/** Every image of a list of results, once each: by pairs, then by IMAGES, then by marked …ARTIFACT_OUTPUTS. */
export function imageEntries(results: readonly Result[], place: Place): readonly Entry[] {
  const found = new Map<string, { name: string; digest: Map<string, string>; origins: Origin[] }>();
  for (const { reference, names } of imageCandidates(results)) {
    const image = parseImageReference(reference);
    if (typeof image === "string") continue;
    const key = `${image.name}@${image.hex}`;
    const origin = resultOrigin(place, ...names);
    const earlier = found.get(key);
    if (earlier) earlier.origins.push(origin);
    else found.set(key, { name: image.name, digest: new Map([["sha256", image.hex]]), origins: [origin] });
  }
  return [...found.values()];
}

/** What wants to be an image, as "name@digest", and the results that say so. */
export function imageCandidates(results: readonly Result[]): readonly { readonly reference: string; readonly names: readonly string[] }[] {
  const pairs = pairsOf(results, hints.imageUrl, hints.imageDigest).map(({ location, digest, names }) => ({
    reference: `${location}@${digest}`,
    names,
  }));
  const listed = results
    .filter(({ name }) => name === hints.images)
    .flatMap(({ value }) => textOf(value).split(/[,\n]/))
    .map(goTrim)
    .filter((piece) => piece !== "")
    .map((reference) => ({ reference, names: [hints.images] }));
  const built = buildArtifacts(results).map(({ name, uri, digest }) => ({ reference: `${uri}@${digest}`, names: [name] }));
  return [...pairs, ...listed, ...built];
}
