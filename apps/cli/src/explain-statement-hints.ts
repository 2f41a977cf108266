import { hints, type Place, type Result, type Run, textOf } from "@countersign/tekton";
import type { NearMiss } from "./explain-statement-near-miss.ts";

/** Does a name count, wherever it stands? */
export const isHintName = (name: string): boolean =>
  name === "IMAGES" || /^CHAINS-GIT_(URL|COMMIT)$|(IMAGE_(URL|DIGEST)|ARTIFACT_(URI|DIGEST|INPUTS|OUTPUTS))$/.test(name);

/** Names that people write for the ones that count. */
const oftenMeant: readonly (readonly [RegExp, string])[] = [
  [/IMAGE_?REF$/i, `${hints.imageUrl} and ${hints.imageDigest}`],
  [/ARTIFACT_?URL$/i, hints.artifactUri],
  [/ARTIFACTS?_?OUTPUTS?$/i, hints.artifactOutputs],
  [/ARTIFACTS?_?INPUTS?$/i, hints.artifactInputs],
  [/IMAGES$/i, hints.images],
];

const known: readonly string[] = Object.values(hints);
const bare = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]/g, "");

/** Results whose names are nearly, but not quite, hints. */
export function misspelt(results: readonly Result[], place: Place): readonly NearMiss[] {
  return results.flatMap(({ name = "" }) => {
    const meant = isHintName(name) ? undefined : meantBy(name);
    if (meant === undefined) return [];
    return [
      {
        place,
        names: [name],
        why: "the name is no hint: hints are matched letter by letter",
        fix: `rename the result so that it ends with ${meant}`,
      },
    ];
  });
}

function meantBy(name: string): string | undefined {
  const letters = bare(name);
  const sameLetters = known.find((hint) => letters.endsWith(bare(hint)) && (hint !== hints.images || letters === bare(hint)));
  return sameLetters ?? oftenMeant.find(([pattern]) => pattern.test(name))?.[1];
}

/** A git source needs a URL and a commit, both of them text. */
export function gitFaults(run: Run): readonly NearMiss[] {
  const found = [
    ...run.defaults.map(({ name, default: value }) => ({ name, value })),
    ...run.params.map(({ name, value }) => ({ name, value })),
    ...run.results.map(({ name, value }) => ({ name, value })),
  ];
  const last = (hint: string) => found.findLast(({ name }) => name === hint);
  const [url, commit] = [last(hints.gitUrl), last(hints.gitCommit)];
  const place: Place = { run: run.ref };
  const faults = [url, commit].flatMap((hint): readonly NearMiss[] =>
    hint?.value === undefined || hint.value.kind === "string"
      ? []
      : [
          {
            place,
            names: [hint.name ?? ""],
            why: "its value is no string and wipes out every earlier one",
            fix: `give ${hint.name} the type string`,
          },
        ],
  );
  const [hasUrl, hasCommit] = [textOf(url?.value) !== "", textOf(commit?.value) !== ""];
  if (faults.length > 0 || hasUrl === hasCommit) return faults;
  if (hasUrl)
    return [
      {
        place,
        names: [hints.gitUrl],
        why: `without ${hints.gitCommit} it is not used`,
        fix: `add a result ${hints.gitCommit} with the commit`,
      },
    ];
  const bogus = run.kind === "TaskRun" ? 'the dependency gets the useless URI "git+.git"' : "it is not used";
  return [
    { place, names: [hints.gitCommit], why: `without ${hints.gitUrl} ${bogus}`, fix: `add a result ${hints.gitUrl} with the repository` },
  ];
}

/** Outputs are read from results only. */
export function outputParams(run: Run): readonly NearMiss[] {
  return run.params.flatMap(({ name = "" }) =>
    isHintName(name) && !name.startsWith("CHAINS-GIT_")
      ? [
          {
            place: { run: run.ref },
            names: [name],
            why: "it is a parameter, and parameters name no inputs or outputs",
            fix: `declare a result ${name} and write it in a step`,
          },
        ]
      : [],
  );
}

/** Declared, but written by no step. */
export function unwritten(run: Run): readonly NearMiss[] {
  const declared = run.kind === "TaskRun" ? run.object.status?.taskSpec?.results : run.object.status?.pipelineSpec?.results;
  const written = new Set(run.results.map(({ name }) => name));
  return (declared ?? []).flatMap(({ name = "" }) =>
    isHintName(name) && !written.has(name)
      ? [
          {
            place: { run: run.ref },
            names: [name],
            why: "the result is declared, but nothing was written into it",
            fix: `write a value to $(results.${name}.path) in a step`,
          },
        ]
      : [],
  );
}
