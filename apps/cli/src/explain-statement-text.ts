import type { Origin, Place } from "@countersign/tekton";
import type { ExplainedEntry, Explanation } from "./explain-statement.ts";
import { printable } from "./printable.ts";
import { runName } from "./run-name.ts";

/** An explanation for people. */
export function explanationText({ run, format, subjects, dependencies, nearMisses }: Explanation): string {
  const lines = [
    printable(`${runName(run)}, format ${format}`),
    ...section("subjects", subjects.flatMap(entryLines)),
    ...section("dependencies", dependencies.flatMap(entryLines)),
    ...section(
      "not used, or not as you may want it",
      nearMisses.flatMap(({ place, names, why, fix }) => [`${names.join(" and ")}, ${placeText(place)}`, `  ${why}`, `  fix: ${fix}`]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [`  ${title}: none`] : [`  ${title}`, ...lines.map((line) => `    ${printable(line)}`)];

function entryLines({ name, digest, label, origins }: ExplainedEntry): readonly string[] {
  const digests = Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`);
  const head = [label && `[${label}]`, name || "(no URI)", ...digests].filter((word) => word).join(" ");
  return [head, ...origins.map((origin) => `  from ${originText(origin)}`)];
}

function originText(origin: Origin): string {
  const names = origin.names.join(" and ");
  switch (origin.from) {
    case "result":
    case "step result":
      return `result ${names} of ${placeText(origin)}`;
    case "param":
      return `parameter ${names} of ${placeText(origin)}`;
    case "param default":
      return `the default of parameter ${names} of ${placeText(origin)}`;
    case "step image":
      return `the image of step ${names} of ${placeText(origin)}`;
    case "sidecar image":
      return `the image of sidecar ${names} of ${placeText(origin)}`;
    case "refSource":
      return `status.provenance.refSource of ${placeText(origin)}`;
    case "whole TaskRun":
      return placeText(origin);
  }
}

const placeText = ({ run, step }: Place): string => `${step === undefined ? "" : `step ${step} of `}${run.kind} ${run.name}`;
