import { CountersignError } from "@countersign/core";
import { HttpError } from "@countersign/http";
import { KubeError } from "@countersign/kube";

/**
 * What may be said of a failure in a log line or an Event. Our own errors are written for people; the message of any other may
 * quote what it choked on (JSON.parse does), so only its name is told.
 */
export function sentenceOf(failure: unknown): string {
  if (CountersignError.is(failure)) return (failure as CountersignError).message;
  if (failure instanceof KubeError || failure instanceof HttpError) return failure.message;
  const name = failure instanceof Error ? failure.name : typeof failure;
  const at = failure instanceof Error ? /\bat .*?([\w.-]+\.[jt]s:\d+)/.exec(failure.stack ?? "")?.[1] : undefined;
  return `an unexpected ${name}${at ? ` at ${at}` : ""}: this is a bug of Countersign, please report it with the run's YAML`;
}
