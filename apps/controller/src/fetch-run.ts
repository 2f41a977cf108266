import type { Annotations, Call, RunRef } from "@countersign/core";
import type { Runs } from "@countersign/kube";
import { parseRun, type Run } from "@countersign/tekton";
import { type ChildReference, isSettled, type Projection, projectionOf } from "./projection.ts";

/** A run as it stands in the cluster, with its children. */
export type Fetched =
  | { readonly kind: "run"; readonly run: Run; readonly omitted: readonly ChildReference[] }
  | { readonly kind: "gone" }
  /** A child of it is still on its way to its own mark. */
  | { readonly kind: "not-yet" }
  /** No payload can come of this; whoever reads the run is to be told. An exception of the parser is a bug, and no other run's. */
  | { readonly kind: "unreadable"; readonly ref: RunRef; readonly annotations: Annotations; readonly failure: unknown };

export interface FetchOptions {
  readonly runs: Runs;
  /** What the watch knows of another run. */
  readonly known: (key: string) => Projection | undefined;
}

/** One GET; for a PipelineRun one list more. Parsed from the very text the API server sent. */
export async function fetchRun({ ref, children, retries }: Projection, { runs, known }: FetchOptions, call: Call): Promise<Fetched> {
  const text = await runs.get(ref, call);
  if (text === undefined) return { kind: "gone" };
  const named = children.filter(({ kind }) => kind === "TaskRun");
  const there = named.length > 0 ? childrenByName(await runs.children(ref, call)) : new Map<string, Child>();
  const attached = named.flatMap(({ name }) => there.get(name) ?? []);
  const isLate = ({ projection }: Child): boolean => known(projection.key) === undefined && !isOver(projection);
  if (retries === undefined && attached.some(isLate)) return { kind: "not-yet" };
  const omitted = children.filter(({ kind, name }) => kind !== "TaskRun" || !there.has(name));
  try {
    const run = parseRun(text, { kind: ref.kind, children: attached.map((child) => child.text) });
    return { kind: "run", run, omitted };
  } catch (failure) {
    return { kind: "unreadable", ...identityOf(text, ref), failure };
  }
}

interface Child {
  readonly text: string;
  readonly projection: Projection;
}

function childrenByName(texts: readonly string[]): Map<string, Child> {
  const children = texts.map((text) => ({ text, projection: projectionOf("TaskRun", JSON.parse(text)) }));
  return new Map(children.map((child) => [child.projection.ref.name, child]));
}

const isOver = (projection: Projection): boolean => projection.completed && isSettled(projection);

function identityOf(text: string, ref: RunRef): { readonly ref: RunRef; readonly annotations: Annotations } {
  const { metadata } = JSON.parse(text) as { metadata?: { uid?: string; annotations?: Annotations } };
  return { ref: { ...ref, uid: metadata?.uid ?? ref.uid }, annotations: metadata?.annotations ?? {} };
}
