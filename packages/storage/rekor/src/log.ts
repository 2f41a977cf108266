import type { Attestation, Call, Found, LogEntry, Payload } from "@countersign/core";

export type Signed = Pick<Attestation, "payload" | "signature">;

/** An entry about a payload, with its signature. */
export interface Seen extends Pick<Found, "signature"> {
  readonly entry: LogEntry;
}

/** A log's API: what is proposed, and the entry as it is answered. Nothing is believed here but that an entry is about its attestation. */
export interface Log {
  /** Kind and version of entries it makes: "dsse 0.0.1". */
  makes(kindVersion: string): boolean;
  /** New, or the one that was there. */
  submit(attestation: Attestation, call: Call): Promise<LogEntry>;
  /** The entry with a proof of inclusion, for one that has only the promise; undefined where the log cannot say. */
  completed?(entry: LogEntry, call: Call): Promise<LogEntry | undefined>;
  /** Entries about a payload, with their signatures. Absent where there is no search. */
  search?(payload: Payload, call: Call): Promise<readonly Seen[]>;
  /** The entry with this very signature, nothing written; undefined: there is none. Absent where nobody can ask that. */
  lookUp?(attestation: Signed, call: Call): Promise<LogEntry | undefined>;
  /** Where people can look at an entry. */
  urlOf(entry: LogEntry): string;
}
