import {
  digestFault,
  entriesOf,
  goTrim,
  hints,
  imageCandidates,
  type Place,
  pairsOf,
  parseDigest,
  parseImageReference,
  type Result,
  textOf,
} from "@countersign/tekton";
import type { NearMiss } from "./explain-statement-near-miss.ts";

/** What is wrong with the results that carry hint names. marked: the format wants isBuildArtifact. */
export function resultFaults(results: readonly Result[], place: Place, marked: boolean): readonly NearMiss[] {
  const miss = (names: readonly string[], why: string, fix: string): NearMiss => ({ place, names, why, fix });
  return [
    ...halfPairs(results, hints.imageUrl, hints.imageDigest, miss),
    ...imageFaults(results, miss),
    ...listedImages(results, miss),
    ...halfPairs(results, hints.artifactUri, hints.artifactDigest, miss),
    ...uriPairs(results, marked, miss),
    ...structured(results, marked, miss),
  ];
}

type Miss = (names: readonly string[], why: string, fix: string) => NearMiss;

function halfPairs(results: readonly Result[], locationSuffix: string, digestSuffix: string, miss: Miss): readonly NearMiss[] {
  const whole = new Set(pairsOf(results, locationSuffix, digestSuffix).flatMap(({ names }) => names));
  const lonely = new Map<string, Result>();
  for (const result of results) {
    const { name = "" } = result;
    if ((name.endsWith(locationSuffix) || name.endsWith(digestSuffix)) && !whole.has(name)) lonely.set(name, result);
  }
  return [...lonely].map(([name, { value }]) => {
    const [own, other] = name.endsWith(locationSuffix) ? [locationSuffix, digestSuffix] : [digestSuffix, locationSuffix];
    const twin = `${name.slice(0, -own.length)}${other}`;
    if (value !== undefined && value.kind !== "string") return miss([name], "its value is no string", `give ${name} the type string`);
    if (goTrim(textOf(value)) === "") return miss([name], "its value is empty", `write a value into the result ${name}`);
    const cousin = [...lonely.keys()].find((candidate) => candidate.endsWith(other) && candidate !== twin);
    if (cousin !== undefined)
      return miss([name, cousin], "the texts before the suffix differ, so the two are no pair", `rename ${cousin} to ${twin}`);
    return miss([name], `its twin ${twin} is missing or empty`, `add a result ${twin}`);
  });
}

function imageFaults(results: readonly Result[], miss: Miss): readonly NearMiss[] {
  return imageCandidates(results)
    .filter(({ names: [name = ""] }) => name !== hints.images)
    .flatMap(({ reference, names }) => {
      const image = parseImageReference(reference);
      const fix = "write the image as registry/repository and its digest as sha256: with 64 hex digits";
      if (typeof image === "string") {
        // a build artifact need not be an image
        if (names.length === 1) return [];
        return [miss(names, `"${reference}" is no image: ${image}`, fix)];
      }
      return schemeFault(reference) ? [miss(names, schemeFault(reference) ?? "", `drop the scheme from ${names[0]}`)] : [];
    });
}

/** Chains takes the scheme for a registry called "https:", to which no signature can be pushed. */
function schemeFault(reference: string): string | undefined {
  const scheme = /^([a-z+-]+):\/\//.exec(reference)?.[1];
  return scheme && `"${scheme}:" is taken for the name of the registry, so nothing can be pushed beside the image`;
}

function listedImages(results: readonly Result[], miss: Miss): readonly NearMiss[] {
  const lists = results.filter(({ name }) => name === hints.images);
  const notText = lists.filter(({ value }) => value !== undefined && value.kind !== "string");
  const broken = imageCandidates(lists).flatMap(({ reference }) => {
    const image = parseImageReference(reference);
    if (typeof image === "string")
      return [
        miss([hints.images], `"${reference}" is no image: ${image}`, "separate images by commas or line ends, each as name@sha256:…"),
      ];
    const scheme = schemeFault(reference);
    return scheme ? [miss([hints.images], scheme, `write ${reference} without its scheme`)] : [];
  });
  return [
    ...notText.map(() => miss([hints.images], "its value is no string", "write the images into one string, separated by commas")),
    ...broken,
  ];
}

function uriPairs(results: readonly Result[], marked: boolean, miss: Miss): readonly NearMiss[] {
  return pairsOf(results, hints.artifactUri, hints.artifactDigest).flatMap(({ digest, names }) => {
    if (!parseDigest(digest)) return [miss(names, `"${digest}" is no digest: ${digestFault(digest)}`, `mend the value of ${names[1]}`)];
    if (marked)
      return [
        miss(
          names,
          "slsa/v2alpha4 lists such pairs as by-products only",
          'use an object result …ARTIFACT_OUTPUTS with isBuildArtifact "true"',
        ),
      ];
    return oddDigest(digest, names, miss);
  });
}

function structured(results: readonly Result[], marked: boolean, miss: Miss): readonly NearMiss[] {
  return results.flatMap((result) => {
    const { name = "", value } = result;
    const isOutput = name.endsWith(hints.artifactOutputs);
    if (!isOutput && !name.endsWith(hints.artifactInputs)) return [];
    const entries = entriesOf(value);
    if (!entries) return [miss([name], "its value is no object", `give ${name} the type object with the properties uri and digest`)];
    const [uri, digest] = [entries.get("uri") ?? "", entries.get("digest") ?? ""];
    if (uri === "")
      return [miss([name], "it has no uri", `add the property uri to ${name}${entries.has("url") ? " (it is called url now)" : ""}`)];
    if (digest === "") return [miss([name], "it has no digest", `add the property digest to ${name}`)];
    if (!parseDigest(digest)) return [miss([name], `"${digest}" is no digest: ${digestFault(digest)}`, `mend the digest of ${name}`)];
    const mark = entries.get("isBuildArtifact");
    if (isOutput && marked && mark !== "true") {
      const found = mark === undefined ? "it lacks isBuildArtifact" : `its isBuildArtifact is "${mark}" and not exactly "true"`;
      return [miss([name], `${found}, so it is a by-product and no subject`, `set isBuildArtifact to the string "true" in ${name}`)];
    }
    return isOutput ? oddDigest(digest, [name], miss) : [];
  });
}

/** Accepted, but copied as it stands, so that no verifier will find the artifact. */
function oddDigest(digest: string, names: readonly string[], miss: Miss): readonly NearMiss[] {
  const { algorithm = "", hex = "" } = parseDigest(digest) ?? {};
  if (digest === `${algorithm}:${hex}`) return [];
  const why = `the digest goes into the subject with its blanks and capitals (${JSON.stringify(digest)}), where no verifier will find it`;
  return [miss(names, why, `write it as ${algorithm}:… in lower case, without blanks or line ends`)];
}
