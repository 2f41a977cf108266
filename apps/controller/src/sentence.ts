import { CountersignError } from "@countersign/core";
import { HttpError } from "@countersign/http";
import { CredentialsError, KubeError } from "@countersign/kube";

/**
 * What may be said of a failure in a log line or an Event. Our own errors are written for people; the message of any other may
 * quote what it choked on (JSON.parse does), so only its name and its place in the code are told.
 */
export function sentenceOf(failure: unknown): string {
  if (CountersignError.is(failure)) return (failure as CountersignError).message;
  if (failure instanceof KubeError || failure instanceof HttpError || failure instanceof CredentialsError) return failure.message;
  const at = failure instanceof Error ? placeOf(failure) : undefined;
  return `an unexpected ${nameOf(failure)}${at ? ` at ${at}` : ""}: this is a bug of Countersign, please report it with the run's YAML`;
}

function nameOf(failure: unknown): string {
  if (!(failure instanceof Error)) return typeof failure;
  return /^\w{1,40}$/.test(failure.name) ? failure.name : "Error";
}

/** "reconcile-run.ts:40". A stack repeats the message first: what stands there is no place. */
function placeOf({ message, stack = "" }: Error): string | undefined {
  const frames = stack.slice(stack.indexOf(message) + message.length);
  return /^\s+at .*?([\w.-]+\.[jt]s:\d+)/m.exec(frames)?.[1];
}
