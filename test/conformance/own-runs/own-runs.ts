import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { batchAnswer } from "../../../apps/cli/src/statement-batch.ts";
import { cases } from "./cases.ts";
import { spelledJson } from "./run-text.ts";

export interface OwnRun {
  readonly name: string;
  /** A request of the batch protocol, as text. */
  readonly request: string;
}

export const ownRuns = (): readonly OwnRun[] =>
  cases.map(({ name, object, taskRuns, config }) => ({ name, request: spelledJson({ object, taskRuns, config }) }));

/** What the golden file of a run has to hold: one line per member of a payload, so that a difference reads well. */
export function goldenText(request: string): string {
  const answer = JSON.parse(batchAnswer(request)) as {
    artifacts?: readonly { type: string; key: string; payload: string }[];
    error?: string;
  };
  const artifacts = answer.artifacts?.map(({ payload, ...artifact }) => ({ ...artifact, payload: payload.split(/(?<=[,{[])(?=")/) }));
  return `${JSON.stringify({ request, ...(artifacts ? { artifacts } : { error: answer.error }) }, null, 1)}\n`;
}

const folder = import.meta.dirname;
const suffix = ".golden.json";
export const goldenNames = (): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length));
export const golden = (name: string): string => readFileSync(join(folder, `${name}${suffix}`), "utf8");

/** `node test/conformance/own-runs/own-runs.ts` writes the golden files anew; the difference is for people to judge. */
if (import.meta.main) for (const { name, request } of ownRuns()) writeFileSync(join(folder, `${name}${suffix}`), goldenText(request));
