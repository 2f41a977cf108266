import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { slsaV1 } from "@countersign/formatters-slsa-v1";
import { parseRun, type Run } from "@countersign/tekton";
import { samplePipelineRun, sampleTaskRun } from "./sample-runs.ts";

export interface FormatsFigure {
  readonly what: string;
  /** Median of JSON.parse over the same texts, in microseconds. */
  readonly jsonParse: number;
  /** Median of parseRun and format, in microseconds. */
  readonly ours: number;
  readonly ratio: number;
  readonly limit: number;
}

const builderId = "https://tekton.dev/chains/v2";
const buildType = "https://tekton.dev/chains/v2/slsa";
const formatters = [
  slsaV02({ builderId, deepInspection: true, format: "slsa/v1" }),
  slsaV1({ builderId, buildType, deepInspection: true, format: "slsa/v2alpha3" }),
  slsaV1({ builderId, buildType, deepInspection: true, format: "slsa/v2alpha4" }),
];

/** How much dearer than JSON.parse it is to read a run and write its statement. */
export function formatsBench(rounds = 600): readonly FormatsFigure[] {
  const task = sampleTaskRun(20_000);
  const pipeline = samplePipelineRun(50, 6_000);
  return formatters.flatMap((formatter) => [
    figure(`TaskRun of 20 kB, ${formatter.name}`, 4, rounds, [task], () => formatter.format(parseRun(task))),
    figure(`PipelineRun with 50 children, ${formatter.name}`, 6, rounds / 3, [pipeline.text, ...pipeline.children], () =>
      formatter.format(parseRun(pipeline.text, pipeline) as Run),
    ),
  ]);
}

function figure(what: string, limit: number, rounds: number, texts: readonly string[], work: () => unknown): FormatsFigure {
  const [parse, full]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds * 2; i++) {
    const start = performance.now();
    for (const text of texts) JSON.parse(text);
    const middle = performance.now();
    work();
    const end = performance.now();
    // the first half warms the engine up
    if (i < rounds) continue;
    parse.push(middle - start);
    full.push(end - middle);
  }
  const [jsonParse, ours] = [median(parse), median(full)];
  return { what, jsonParse: micro(jsonParse), ours: micro(ours), ratio: Math.round((ours / jsonParse) * 100) / 100, limit };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const micro = (milliseconds: number): number => Math.round(milliseconds * 1000);

if (import.meta.main) {
  const figures = formatsBench();
  for (const { what, jsonParse, ours, ratio, limit } of figures)
    console.log(`${what}: ${ours} µs, JSON.parse ${jsonParse} µs, ratio ${ratio} (at most ${limit})`);
  process.exitCode = figures.some(({ ratio, limit }) => ratio > limit) ? 1 : 0;
}
