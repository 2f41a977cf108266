import { type Call, CountersignError, type RunRef } from "@countersign/core";
import type { Runs } from "@countersign/kube";
import type { OwnWrites } from "./own-writes.ts";
import { finalizerOf, type Projection } from "./projection.ts";

export interface FinalizerPort {
  readonly runs: Pick<Runs, "finalizers">;
  readonly own: OwnWrites;
}

/** A run is seen while it works: our finalizer keeps it until it is signed. One that is deleted while it works is let go. */
export async function guard(seen: Projection, port: FinalizerPort, call: Call): Promise<void> {
  const finalizer = finalizerOf[seen.ref.kind];
  if (seen.deletedAt !== undefined) await letGo(seen.ref, seen.finalizers, port, call);
  else if (!seen.finalizers.includes(finalizer)) await write(seen.ref, [finalizer], port, call);
}

export async function letGo(ref: RunRef, standing: readonly string[], port: FinalizerPort, call: Call): Promise<void> {
  if (standing.length > 0) await write(ref, [], port, call);
}

async function write(ref: RunRef, finalizers: readonly string[], { runs, own }: FinalizerPort, call: Call): Promise<void> {
  try {
    own.add(versionOf(await runs.finalizers(ref, finalizers, call)));
  } catch (failure) {
    if (!isGone(failure)) throw failure;
  }
}

export const isGone = (failure: unknown): boolean => CountersignError.is(failure) && failure.code === "mark.gone";
export const versionOf = (text: string): string | undefined =>
  (JSON.parse(text) as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;
