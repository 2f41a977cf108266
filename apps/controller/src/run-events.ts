import type { RunRef } from "@countersign/core";
import type { Events } from "@countersign/kube";
import { sentenceOf } from "./sentence.ts";

/** What people read at a run. Nobody waits for an Event: one that cannot be written is only told to the log. */
export interface RunEvents {
  /** One Event for each sentence. */
  failed(ref: RunRef, reason: "InternalError" | "SigningFailed", failures: readonly unknown[]): void;
  released(ref: RunRef, waitedMs: number): void;
}

export function runEvents(events: Events, signal: AbortSignal, lost: (error: unknown) => void): RunEvents {
  const post = (run: RunRef, reason: string, message: string): void =>
    void events.tell({ run, type: "Warning", reason, message }, { signal }).catch(lost);
  return {
    failed(ref, reason, failures) {
      for (const sentence of new Set(failures.map(sentenceOf))) post(ref, reason, sentence);
    },
    released(ref, waitedMs) {
      const waited = `the deletion waited ${Math.round(waitedMs / 1000)} s for an attestation that could not be made`;
      post(ref, "FinalizerReleased", `${waited}; the finalizer was taken off, the run stays unsigned`);
    },
  };
}
