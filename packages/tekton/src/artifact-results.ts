import { parseDigest, rawDigest } from "./digest.ts";
import type { Entry } from "./merged-list.ts";
import type { Result, StringMap } from "./objects.ts";
import { type Place, resultOrigin } from "./origin.ts";
import { entriesOf } from "./param-value.ts";
import { hints, pairsOf } from "./type-hints.ts";

/** Subjects by a pair of …ARTIFACT_URI and …ARTIFACT_DIGEST; the URI is opaque and kept as it is. */
export function uriSubjects(results: readonly Result[], place: Place): readonly Entry[] {
  return pairsOf(results, hints.artifactUri, hints.artifactDigest)
    .filter(({ digest }) => parseDigest(digest) !== undefined)
    .map(({ location, digest, names }) => ({
      name: location,
      digest: rawDigestMap(digest),
      origins: [resultOrigin(place, ...names)],
    }));
}

/** Subjects by an object result …ARTIFACT_OUTPUTS, marked as build artifact or not. */
export function outputSubjects(results: readonly Result[], place: Place): readonly Entry[] {
  return structured(results, hints.artifactOutputs).map((found) => outputEntry(found, place));
}

/** Only those with isBuildArtifact exactly "true". */
export function buildArtifactSubjects(results: readonly Result[], place: Place): readonly Entry[] {
  return buildArtifacts(results).map((found) => outputEntry(found, place));
}

/** Materials by an object result …ARTIFACT_INPUTS. */
export function inputMaterials(results: readonly Result[], place: Place): readonly Entry[] {
  return structured(results, hints.artifactInputs).map(({ name, uri, digest }) => {
    const { algorithm = "", hex = "" } = parseDigest(digest) ?? {};
    return { name: uri, digest: new Map([[algorithm, hex]]), origins: [resultOrigin(place, name)] };
  });
}

export interface StructuredResult {
  /** Of the result. */
  readonly name: string;
  readonly uri: string;
  /** As it was written. */
  readonly digest: string;
}

export const buildArtifacts = (results: readonly Result[]): readonly StructuredResult[] =>
  structured(results, hints.artifactOutputs, (entries) => entries.get("isBuildArtifact") === "true");

function structured(
  results: readonly Result[],
  suffix: string,
  accepts: (entries: StringMap) => boolean = () => true,
): readonly StructuredResult[] {
  return results.flatMap(({ name = "", value }) => {
    const entries = name.endsWith(suffix) ? entriesOf(value) : undefined;
    if (!entries || !accepts(entries)) return [];
    const found = structuredValue(entries);
    return found ? [{ name, ...found }] : [];
  });
}

/** Both members have to be there and the digest has to be one; nothing is trimmed. */
export function structuredValue(entries: StringMap): { readonly uri: string; readonly digest: string } | undefined {
  const uri = entries.get("uri") ?? "";
  const digest = entries.get("digest") ?? "";
  return uri !== "" && digest !== "" && parseDigest(digest) ? { uri, digest } : undefined;
}

const outputEntry = ({ name, uri, digest }: StructuredResult, place: Place): Entry => ({
  name: uri,
  digest: rawDigestMap(digest),
  origins: [resultOrigin(place, name)],
});

function rawDigestMap(text: string): StringMap {
  const { algorithm, hex } = rawDigest(text);
  return new Map([[algorithm, hex]]);
}

/**
 * Is the result a by-product, as slsa/v2alpha4 sees it? Not when it is an output of its own: a marked …ARTIFACT_OUTPUTS, even a malformed
 * one, one that is no object, or anything named like an image hint, useful or not.
 */
export function isByproduct({ name = "", value }: Result): boolean {
  if (name.endsWith(hints.imageUrl) || name.endsWith(hints.imageDigest) || name === hints.images) return false;
  if (!name.endsWith(hints.artifactOutputs)) return true;
  const entries = entriesOf(value);
  return entries !== undefined && entries.get("isBuildArtifact") !== "true";
}
