import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseConfig } from "@countersign/config";
import { CountersignError } from "@countersign/core";
import { parseRun, type SourceNode, SourceText, sourceNodeText } from "@countersign/tekton";
import { explainRun } from "../../apps/cli/src/explain-statement.ts";
import { payloadsOf } from "../../apps/cli/src/statement-payloads.ts";
import { corpusCases } from "../conformance/formats-corpus.ts";
import { ownRuns } from "../conformance/own-runs/own-runs.ts";
import { mutated, type Random, randomFrom } from "./mutate-json.ts";

export interface SoakReport {
  readonly seed: number;
  readonly cases: number;
  readonly seconds: number;
  /** Runs that gave payloads, and runs that were refused with a CountersignError. */
  readonly answered: number;
  readonly refused: number;
  readonly crashes: readonly string[];
  /** Longest case of at most 64 kB, in milliseconds, best of four. */
  readonly slowest: number;
  /** After forced collections: one sample per tenth of the cases. */
  readonly heap: readonly number[];
}

export interface SoakOptions {
  readonly cases: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const formats = ["in-toto", "slsa/v1", "slsa/v2alpha3", "slsa/v2alpha4"];
const buildTypes = ["https://tekton.dev/chains/v2/slsa", "https://tekton.dev/chains/v2/slsa-tekton"];
const configs = formats.flatMap((format) =>
  buildTypes.map(
    (buildType) =>
      parseConfig({
        "artifacts.taskrun.format": format,
        "artifacts.pipelinerun.format": format,
        "artifacts.pipelinerun.enable-deep-inspection": "true",
        "builddefinition.buildtype": buildType,
      }).config,
  ),
);

/** Breaks recorded runs in every way it can think of. A crash is any exception that is no CountersignError, or 50 ms for 64 kB. */
export function soakFormats({ cases, seed, progress }: SoakOptions): SoakReport {
  const random = randomFrom(seed);
  const requests = seeds();
  const crashes: string[] = [];
  const heap: number[] = [];
  let [answered, refused, slowest] = [0, 0, 0];
  const start = performance.now();
  for (let i = 0; i < cases; i++) {
    const { object, children } = broken(requests[Math.floor(random() * requests.length)] as Request, random);
    const config = configs[Math.floor(random() * configs.length)] as (typeof configs)[number];
    const work = (): boolean => succeeds(() => payloadsOf(parseRun(object, { kind: "TaskRun", children }), config));
    try {
      const milliseconds = timed(work, (worked) => (worked ? answered++ : refused++));
      // whoever has a broken run asks for an explanation next
      if (i % 8 === 0) succeeds(() => explainRun(parseRun(object, { kind: "TaskRun", children }), config));
      const size = object.length + children.reduce((sum, child) => sum + child.length, 0);
      if (size > 65_536) continue;
      // other programs may have had the processor: only what is slow every time is slow
      const best = milliseconds <= 10 ? milliseconds : Math.min(...[1, 2, 3].map(() => timed(work, () => undefined)));
      slowest = Math.max(slowest, best);
      if (best > 50) crashes.push(`case ${i}: ${Math.round(best)} ms for ${size} characters: ${object.slice(0, 2000)}`);
    } catch (error) {
      crashes.push(`case ${i}: ${error instanceof Error ? error.stack : String(error)}: ${object.slice(0, 2000)}`);
    }
    if (crashes.length > 20) break;
    if ((i + 1) % Math.ceil(cases / 10) !== 0) continue;
    collectGarbage();
    heap.push(process.memoryUsage().heapUsed);
    progress?.(`${i + 1} cases, ${crashes.length} crashes, heap ${Math.round(process.memoryUsage().heapUsed / 1e6)} MB`);
  }
  return { seed, cases, seconds: Math.round((performance.now() - start) / 1000), answered, refused, crashes, slowest, heap };
}

function timed(work: () => boolean, done: (worked: boolean) => void): number {
  const start = performance.now();
  const worked = work();
  const end = performance.now();
  done(worked);
  return end - start;
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (CountersignError.is(error) && error.retry === "never") return false;
    throw error;
  }
}

interface Request {
  readonly object: SourceNode;
  readonly children: readonly SourceNode[];
}

function seeds(): readonly Request[] {
  const recorded = corpusCases().map(({ request }) => request);
  const requests = recorded.length > 0 ? recorded : ownRuns().map(({ request }) => request);
  return requests.map((text) => {
    const request = new SourceText(text).tree() as Map<string, SourceNode>;
    return { object: request.get("object") ?? "null", children: (request.get("taskRuns") as SourceNode[] | undefined) ?? [] };
  });
}

/** One to three things wrong, in the run or in one of its children. */
function broken({ object, children }: Request, random: Random): { readonly object: string; readonly children: readonly string[] } {
  let whole: SourceNode = [object, ...children];
  const largest = random() < 0.01 ? 1_000_000 : 30_000;
  for (let n = Math.ceil(random() * 3); n > 0; n--) {
    const parts = whole as SourceNode[];
    const at = Math.floor(random() * parts.length);
    whole = parts.with(at, mutated(parts[at] as SourceNode, random, largest));
  }
  const [first = "null", ...others] = (whole as SourceNode[]).map(sourceNodeText);
  return { object: first, children: others };
}

if (import.meta.main) {
  const [cases = 1_000_000, seed = Date.now() % 1_000_000_007] = process.argv.slice(2).map(Number);
  console.log(`seed ${seed}`);
  const report = soakFormats({ cases, seed, progress: (line) => console.log(line) });
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.crashes.length > 0 ? 1 : 0;
}
