import type { Evidence, LogEntry } from "@countersign/core";

export const logEntriesIn = (evidence: readonly Evidence[]): readonly LogEntry[] =>
  evidence.flatMap((word) => (word.kind === "log-entry" ? [word.entry] : []));

/** RFC 3161 tokens, base64 of their DER. */
export const timestampsIn = (evidence: readonly Evidence[]): readonly string[] =>
  evidence.flatMap((word) => (word.kind === "timestamp" ? [word.token] : []));
