import { CountersignError } from "@countersign/core";
import { decode } from "./go/decode.ts";
import type { PipelineRunObject, TaskRunObject } from "./objects.ts";
import type { Run, TaskRun } from "./run.ts";
import { pipelineRunFrom, taskRunFrom } from "./run-facts.ts";
import { SourceText } from "./source-text.ts";
import { v1TextFromV1beta1 } from "./v1beta1.ts";

export interface ParseRunOptions {
  /** The TaskRuns of a PipelineRun, already selected, in the order of its childReferences. */
  readonly children?: readonly string[];
  /** For a text that does not name its kind, such as an item of a list. */
  readonly kind?: "TaskRun" | "PipelineRun";
}

/**
 * Reads a tekton.dev/v1 TaskRun or PipelineRun from the text an API server sent (or a v1beta1 one from a file). It must be the text: how a number was written and in
 * which order keys stood can decide the bytes of a payload.
 * @throws CountersignError read.not-json, read.not-a-run, read.wrong-type (names the path), read.too-deep; retry "never"
 */
export function parseRun(text: string, options: ParseRunOptions = {}): Run {
  const { source, value } = readObject(text);
  const kind = value["kind"] === "TaskRun" || value["kind"] === "PipelineRun" ? value["kind"] : options.kind;
  if (kind === undefined) throw unknownKind(value["kind"]);
  if (kind === "TaskRun") return taskRunFrom(decode("TaskRun", value, source) as TaskRunObject);
  const children = (options.children ?? []).map(parseTaskRun);
  return pipelineRunFrom(decode("PipelineRun", value, source) as PipelineRunObject, children);
}

function parseTaskRun(text: string): TaskRun {
  const { source, value } = readObject(text);
  return taskRunFrom(decode("TaskRun", value, source) as TaskRunObject);
}

function readObject(text: string): { readonly source: SourceText; readonly value: Record<string, unknown> } {
  const source = new SourceText(text);
  const value = objectFrom(source);
  if (value["apiVersion"] !== "tekton.dev/v1beta1") return { source, value };
  const converted = new SourceText(v1TextFromV1beta1(text));
  return { source: converted, value: objectFrom(converted) };
}

function objectFrom(source: SourceText): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(source.text);
  } catch {
    // the engine's message would quote the text
    throw new CountersignError("read.not-json", "the run is not valid JSON; hand in the API server's answer unchanged", { retry: "never" });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CountersignError("read.not-a-run", "the text holds no JSON object, so it is no run", { retry: "never" });
}

function unknownKind(kind: unknown): CountersignError {
  const found = typeof kind === "string" && /^\w{1,63}$/.test(kind) ? `is of kind ${kind}` : "names no kind";
  return new CountersignError("read.not-a-run", `the object ${found}; only TaskRun and PipelineRun are runs`, { retry: "never" });
}
