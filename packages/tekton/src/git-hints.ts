import type { Entry } from "./merged-list.ts";
import type { Param, ParamSpec, Result } from "./objects.ts";
import { type Origin, type Place, resultOrigin } from "./origin.ts";
import { type ParamValue, textOf } from "./param-value.ts";
import type { Run } from "./run.ts";
import { hints } from "./type-hints.ts";

interface Hint {
  text: string;
  origin: Origin | undefined;
}

/** The source that a TaskRun names by CHAINS-GIT_URL and CHAINS-GIT_COMMIT: defaults, then params, then results; the last word counts. */
export function taskGitMaterials(run: Run): readonly Entry[] {
  const { url, commit } = readHints(hintsOfRun(run));
  // a commit alone is enough here, and then the empty URL turns into "git+.git"
  return commit.text === "" ? [] : [gitEntry(url, commit)];
}

/** The same for a PipelineRun, which has to name both. */
export function pipelineGitMaterials(run: Run): readonly Entry[] {
  const { url, commit } = readHints(hintsOfRun(run));
  return commit.text === "" || url.text === "" ? [] : [gitEntry(url, commit)];
}

/** The same for the results of one step. */
export function stepGitMaterials(results: readonly Result[], place: Place): readonly Entry[] {
  const { url, commit } = readHints(results.map(({ name, value }) => [name, value, resultOrigin(place, name ?? "")]));
  return commit.text === "" ? [] : [gitEntry(url, commit)];
}

type Named = readonly [name: string | undefined, value: ParamValue | undefined, origin: Origin];

function hintsOfRun(run: Run): readonly Named[] {
  const place: Place = { run: run.ref };
  return [
    ...run.defaults.filter(isGitHint).map((spec: ParamSpec): Named => [spec.name, spec.default, origin(place, "param default", spec)]),
    ...run.params.filter(isGitHint).map((param: Param): Named => [param.name, param.value, origin(place, "param", param)]),
    ...run.results.filter(isGitHint).map((result): Named => [result.name, result.value, origin(place, "result", result)]),
  ];
}

const isGitHint = ({ name }: { readonly name?: string }): boolean => name === hints.gitUrl || name === hints.gitCommit;
const origin = (place: Place, from: Origin["from"], { name = "" }: { readonly name?: string }): Origin => ({
  ...place,
  from,
  names: [name],
});

function readHints(named: readonly Named[]): { url: Hint; commit: Hint } {
  const url: Hint = { text: "", origin: undefined };
  const commit: Hint = { text: "", origin: undefined };
  for (const [name, value, from] of named) {
    const hint = name === hints.gitUrl ? url : name === hints.gitCommit ? commit : undefined;
    // a list or object has no text and so wipes out what stood there
    if (hint) Object.assign(hint, { text: textOf(value), origin: from });
  }
  return { url, commit };
}

/** The algorithm is always called sha1, whatever the commit looks like. */
const gitEntry = (url: Hint, commit: Hint): Entry => ({
  name: gitUri(url.text),
  digest: new Map([["sha1", commit.text]]),
  origins: [url.origin, commit.origin].filter((from) => from !== undefined),
});

/** "https://x/y" → "git+https://x/y.git" (SPDX download location). */
const gitUri = (url: string): string => `${url.startsWith("git+") ? "" : "git+"}${url}${url.endsWith(".git") ? "" : ".git"}`;
