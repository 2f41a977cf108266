import { type Call, CountersignError, type RunRef } from "@countersign/core";
import type { Runs } from "@countersign/kube";
import { finalizerOf, type Projection } from "./projection.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Next } from "./work.ts";

export type FinalizerPort = { readonly runs: Pick<Runs, "finalizers"> } & Pick<Surroundings, "own">;

/** A run is seen while it works: our finalizer keeps it until it is signed. One that is deleted while it works is let go. */
export async function guard(seen: Projection, port: FinalizerPort, call: Call): Promise<void> {
  const finalizer = finalizerOf[seen.ref.kind];
  if (seen.deletedAt !== undefined) await letGo(seen.ref, seen.finalizers, port, call);
  else if (!seen.finalizers.includes(finalizer)) await write(seen.ref, [finalizer], port, call);
}

export async function letGo(ref: RunRef, standing: readonly string[], port: FinalizerPort, call: Call): Promise<void> {
  if (standing.length > 0) await write(ref, [], port, call);
}

/** Early, unless it is to stay as Tekton Chains leaves it: then deletion takes it off. */
export async function released(seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  if (!house.settings.keepFinalizer || seen.deletedAt !== undefined) await letGo(seen.ref, seen.finalizers, house, call);
  return "settled";
}

/** A deletion is never held up longer than the deadline. Infinity: nobody deletes it, or nothing of ours holds it. */
export function deadlineLeft({ deletedAt, finalizers }: Projection, { now, settings }: Pick<Surroundings, "now" | "settings">): number {
  if (deletedAt === undefined || finalizers.length === 0) return Number.POSITIVE_INFINITY;
  return deletedAt + settings.finalizerDeadlineMs - now();
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
