import { parseConfig } from "@countersign/config";
import { CountersignError } from "@countersign/core";
import { parseRun, SourceText } from "@countersign/tekton";
import { payloadsOf } from "./statement-payloads.ts";

const artifactTypes = { taskrun: "tekton", pipelinerun: "tekton-pipeline-run", image: "oci" } as const;

/**
 * Answers one request line of the batch protocol with one line:
 * {"object": run, "kind"?, "taskRuns"?: children, "config"?: chains-config} gives {"artifacts": [{"type", "key", "payload"}]} or {"error"}.
 */
export function batchAnswer(line: string): string {
  try {
    return JSON.stringify({ artifacts: artifactsFor(line) });
  } catch (error) {
    if (CountersignError.is(error)) return JSON.stringify({ error: `${error.code}: ${error.message}` });
    throw error;
  }
}

function artifactsFor(line: string): readonly unknown[] {
  const request = requestFrom(line);
  const { config } = parseConfig((request["config"] ?? {}) as Record<string, string>);
  // the run is cut out of the line as it stands: parsing and writing it again would lose what decides bytes
  const source = new SourceText(line);
  const children = Array.isArray(request["taskRuns"]) ? request["taskRuns"].map((_, i) => source.textAt(["taskRuns", i]) ?? "") : [];
  const kind = request["kind"] === "TaskRun" || request["kind"] === "PipelineRun" ? ({ kind: request["kind"] } as const) : {};
  const run = parseRun(source.textAt(["object"]) ?? "null", { ...kind, children });
  return payloadsOf(run, config).map(({ artifact, payload }) => ({
    type: artifactTypes[artifact.kind],
    key: artifact.shortKey,
    payload: new TextDecoder().decode(payload.body),
  }));
}

function requestFrom(line: string): Record<string, unknown> {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    request = undefined;
  }
  if (typeof request === "object" && request !== null && !Array.isArray(request)) return request as Record<string, unknown>;
  throw new CountersignError("read.not-json", "the line is no JSON object; each line must hold one request", { retry: "never" });
}

/** Lines end at LF only: strings may hold other line separators. The last line may lack it. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Uint8Array[] = [];
  const line = (): string => new TextDecoder().decode(Buffer.concat(pending));
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      pending.push(chunk.subarray(from, end));
      yield line();
      pending = [];
      from = end + 1;
    }
    pending.push(chunk.subarray(from));
  }
  if (pending.some(({ length }) => length > 0)) yield line();
}
