import type { LogTrouble } from "./log-outage.ts";

type Row = readonly [name: string, trouble: LogTrouble];

/** A log that gives no answer worth the name. */
export const silences: readonly Row[] = [
  ["cuts connections", { fault: { kind: "cut" } }],
  ["does what it is asked and loses its answers", { fault: { kind: "lost-answer" } }],
  ["answers 429", { fault: { kind: "status", status: 429, headers: { "retry-after": "600" } } }],
  ["answers 500", { fault: { kind: "status", status: 500 } }],
  ["answers 503", { fault: { kind: "status", status: 503 } }],
  ["takes everything and never answers", { fault: { kind: "half-open" } }],
  ["is so slow that nobody waits for it", { fault: { kind: "delay", ms: 200 } }],
];

/** A log that answers what cannot be believed. */
export const lies: readonly Row[] = [
  ["answers garbage", { fault: { kind: "garbage" } }],
  ["gives entries without proof", { mood: "no-proof" }],
  ["gives wrong proofs", { mood: "wrong-proof" }],
  ["signs with a key that nobody knows", { mood: "other-log" }],
  ["knows of a conflict and not of the entry", { mood: "lost" }],
];
