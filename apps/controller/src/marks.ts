import type { Report } from "@countersign/attest";
import { annotationPrefix } from "@countersign/bundle";
import { type Annotations, CountersignError, type Retry, retryOf } from "@countersign/core";
import { transparencyAnnotations } from "./transparency-annotations.ts";

/** The mildest failure decides: while anything waits, nothing is counted. */
const mildestFirst: readonly Retry[] = ["hold", "wait", "counted", "never"];

export const mildestOf = (failures: readonly unknown[]): Retry | undefined =>
  mildestFirst.find((retry) => failures.some((failure) => retryOf(failure) === retry));

/**
 * The marks of Tekton Chains for one visit: signed "true", or retries absent, "0" … "3", then signed "failed" after the fifth
 * counted failure, or at once where trying again is no use. Undefined: nothing is written, somebody comes again.
 */
export function marksOf(annotations: Annotations, mildest: Retry | undefined): Annotations | undefined {
  if (!mildest) return { [`${annotationPrefix}signed`]: "true" };
  if (mildest === "hold" || mildest === "wait") return undefined;
  const tries = annotations[`${annotationPrefix}retries`];
  const last = mildest === "never" || (tries !== undefined && !/^[0-2]$/.test(tries));
  if (last) return { [`${annotationPrefix}signed`]: "failed", [`${annotationPrefix}retries`]: "3" };
  return { [`${annotationPrefix}retries`]: tries === undefined ? "0" : `${Number(tries) + 1}` };
}

/** What the storages ask to be written on the run, and where the log has it. */
export function storedAnnotations(report: Report): Annotations {
  const stored = report.outcomes.flatMap((outcome) => outcome.stored.map((at) => at.annotations ?? {}));
  return Object.assign({}, ...stored, transparencyAnnotations(report)) as Annotations;
}

/** An apply drops what it does not name, so whatever of ours stands on the run goes in again. */
export const ours = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(annotationPrefix)));

/** The API server refuses a run whose annotations weigh more, keys and values together. */
const mostBytes = 262_144;

export const fits = (run: Annotations, wanted: Annotations): boolean => weightOf({ ...run, ...wanted }) <= mostBytes;

const weightOf = (annotations: Annotations): number =>
  Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);

export function assertFits(run: Annotations, wanted: Annotations): void {
  const bytes = weightOf({ ...run, ...wanted });
  if (bytes <= mostBytes) return;
  const sentence = `the run's annotations would weigh ${bytes} bytes, and the API server takes ${mostBytes}; store this format in oci, or let the run name fewer results`;
  throw new CountersignError("store.annotations-too-large", sentence, { retry: "never" });
}
