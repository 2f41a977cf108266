import { createRequire } from "node:module";
import type { Evidence, LogEntry } from "@countersign/core";
import type * as Sigstore from "@sigstore/core";

/** CommonJS, so it can be fetched at first use without a promise: who meets no timestamp never loads its twenty modules. */
const require = createRequire(import.meta.url);
const sigstoreCore = (): typeof Sigstore => require("@sigstore/core") as typeof Sigstore;

export const logEntriesIn = (evidence: readonly Evidence[]): readonly LogEntry[] =>
  evidence.flatMap((word) => (word.kind === "log-entry" ? [word.entry] : []));

/** RFC 3161 tokens, base64 of their DER: all of them, or those over the signature or over the envelope. */
export const timestampsIn = (evidence: readonly Evidence[], over?: "signature" | "envelope"): readonly string[] =>
  evidence.flatMap((word) =>
    word.kind === "timestamp" && (over === undefined || over === (word.over ?? "signature")) ? [word.token] : [],
  );

/** When somebody saw the signature first, in seconds since 1970; undefined where nobody vouches for a time. It is read, not verified. */
export function seenAt(evidence: readonly Evidence[]): number | undefined {
  const logged = logEntriesIn(evidence).flatMap(({ integratedTime }) => (integratedTime ? [Number(integratedTime)] : []));
  const times = [...logged, ...timestampsIn(evidence).flatMap(timeIn)].filter(Number.isFinite);
  return times.length > 0 ? Math.min(...times) : undefined;
}

function timeIn(token: string): readonly number[] {
  try {
    return [sigstoreCore().RFC3161Timestamp.parse(Buffer.from(token, "base64")).signingTime.getTime() / 1_000];
  } catch {
    return []; // somebody's damaged token says nothing
  }
}
