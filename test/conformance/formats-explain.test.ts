import { parseConfig } from "@countersign/config";
import type { Payload } from "@countersign/core";
import { CountersignError } from "@countersign/core";
import { type Origin, parseRun, type Run, SourceText, type TaskRun, textOf } from "@countersign/tekton";
import { describe, expect, test } from "vitest";
import { explainRun } from "../../apps/cli/src/explain-statement.ts";
import { payloadsOf } from "../../apps/cli/src/statement-payloads.ts";
import { corpus, corpusCases } from "./formats-corpus.ts";
import { ownRuns } from "./own-runs/own-runs.ts";

interface Entry {
  readonly name: string;
  readonly digest: unknown;
}

interface PrintedDependency {
  readonly uri?: string;
  readonly digest?: object;
}

/** Subjects and dependencies as the payload has them. */
function printed({ body }: Payload): { readonly subjects: readonly Entry[]; readonly dependencies: readonly Entry[] } {
  const { subject = [], predicate } = JSON.parse(new TextDecoder().decode(body));
  const dependencies: readonly PrintedDependency[] = predicate.materials ?? predicate.buildDefinition?.resolvedDependencies ?? [];
  return { subjects: subject, dependencies: dependencies.map(({ uri = "", digest = {} }) => ({ name: uri, digest })) };
}

/** Everything that the place named by an origin says, as one text. */
function said(origin: Origin, run: Run): string {
  const speaker = [run, ...(run.kind === "PipelineRun" ? run.children : [])].find(({ ref }) => ref === origin.run);
  if (!speaker) return "";
  const texts = (named: readonly { name?: string; value?: Parameters<typeof textOf>[0] }[]): string =>
    named
      .filter(({ name = "" }) => origin.names.includes(name))
      .map(({ value }) => (value?.kind === "object" ? [...value.entries.values()].join("\n") : textOf(value)))
      .join("\n");
  const status = (speaker as TaskRun).object.status;
  switch (origin.from) {
    case "result":
      return texts(speaker.results);
    case "step result":
      return (status?.steps ?? [])
        .filter(({ name = "" }) => name === origin.step)
        .map(({ results = [] }) => texts(results))
        .join("\n");
    case "param":
      return texts(speaker.params);
    case "param default":
      return texts(speaker.defaults.map(({ name = "", default: value }) => ({ name, ...(value && { value }) })));
    case "step image":
      return (status?.steps ?? []).map(({ imageID }) => imageID).join("\n");
    case "sidecar image":
      return (status?.sidecars ?? []).map(({ imageID }) => imageID).join("\n");
    default:
      return "";
  }
}

function check(request: string): { readonly entries: number } {
  const source = new SourceText(request);
  const { config = {}, taskRuns = [] } = JSON.parse(request);
  let run: Run;
  let parsed: ReturnType<typeof parseConfig>["config"];
  try {
    parsed = parseConfig(config).config;
    run = parseRun(source.textAt(["object"]) ?? "", {
      children: taskRuns.map((_: unknown, i: number) => source.textAt(["taskRuns", i]) ?? ""),
    });
  } catch (error) {
    if (CountersignError.is(error)) return { entries: 0 };
    throw error;
  }
  const payload = payloadsOf(run, parsed).find(({ payload: { envelope } }) => envelope === "dsse")?.payload;
  if (!payload) return { entries: 0 };
  const { subjects, dependencies } = explainRun(run, parsed);
  const bare = ({ name, digest }: Entry): Entry => ({ name, digest });
  expect(subjects.map(bare)).toEqual(printed(payload).subjects.map(bare));
  expect(dependencies.map(bare)).toEqual(printed(payload).dependencies);
  for (const { name, digest, origins } of [...subjects, ...dependencies]) {
    expect(origins.length, name).toBeGreaterThan(0);
    const quoted = origins.filter(({ from }) => from !== "refSource" && from !== "whole TaskRun");
    // each digest of the entry stands in one of the places that the explanation names
    if (quoted.length !== origins.length) continue;
    const texts = quoted.map((origin) => said(origin, run)).join("\n");
    for (const hex of Object.values(digest)) expect(texts).toContain(hex);
  }
  return { entries: subjects.length + dependencies.length };
}

describe("--explain names a true source for every subject and dependency", () => {
  test.skipIf(!corpus.isThere)(corpus.isThere ? "of the recorded runs" : corpus.absent, () => {
    const entries = corpusCases().reduce((sum, { request }) => sum + check(request).entries, 0);
    expect(entries).toBeGreaterThan(3000);
  });

  test("of our own runs", () => {
    expect(ownRuns().reduce((sum, { request }) => sum + check(request).entries, 0)).toBeGreaterThan(100);
  });
});
