import { annotationPrefix } from "@countersign/bundle";
import { type Annotations, type Call, CountersignError, type RunRef } from "@countersign/core";
import { versionOf } from "./finalizer.ts";
import type { Surroundings } from "./surroundings.ts";

/** One apply of all our annotations; what stands afterwards. @throws CountersignError "mark.gone" when the run is another one now, or none */
export async function annotate(
  ref: RunRef,
  wanted: Annotations,
  { runs, own }: Pick<Surroundings, "runs" | "own">,
  call: Call,
): Promise<Annotations> {
  const answer = await runs.annotate(ref, wanted, call);
  own.add(versionOf(answer));
  return (JSON.parse(answer) as { metadata?: { annotations?: Annotations } }).metadata?.annotations ?? {};
}

/** The server kept other bytes than we sent, and whoever believes them would be deceived. */
export function altered({ kind, namespace, name }: RunRef, key: string): CountersignError {
  const sentence = `annotation ${key} of ${kind} ${namespace}/${name} is not what was sent: an admission webhook or another writer changes it; exempt the prefix ${annotationPrefix}`;
  return new CountersignError("mark.read-back", sentence, { retry: "counted" });
}
