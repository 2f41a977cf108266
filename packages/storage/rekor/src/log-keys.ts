import { type Checkpoint, isOfKnownLog, type LogEntryRules, logEntryFault, logIdOf } from "@countersign/bundle";
import type { Call, LogEntry, TrustedKey, TrustSource } from "@countersign/core";
import { joined } from "./joined.ts";

export interface LogKeysOptions {
  readonly trust?: TrustSource<{ readonly logs: readonly TrustedKey[] }> | undefined;
  /** Where no trust root is configured: the key that the log itself shows. Throws where a log shows none. */
  shown(call: Call): Promise<TrustedKey>;
  readonly now: () => number;
}

export interface LogKeys {
  /** Why an entry is not to be believed. Meeting a log's new key, it looks for that key once. */
  fault(entry: LogEntry, call: Call, rules?: LogEntryRules): Promise<string | undefined>;
  /** Throws where no answer could be verified: better before a log is written to than after. */
  ready(call: Call): Promise<void>;
  /** The id of the log that signed; undefined where no known key did. */
  logId(checkpoint: Checkpoint, call: Call): Promise<string | undefined>;
}

/** A log that keeps signing with keys it does not show must not be asked for them at every entry. */
const askAgainMs = 60_000;

export function logKeys({ trust, shown, now }: LogKeysOptions): LogKeys {
  const seen: TrustedKey[] = [];
  let asked = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  return {
    async fault(entry, call, rules) {
      const known = await keys(call);
      const fault = logEntryFault(entry, known, rules);
      if (!fault || isOfKnownLog(entry, known)) return fault;
      return logEntryFault(entry, await newer(call), rules);
    },
    async ready(call) {
      await keys(call);
    },
    async logId(checkpoint, call) {
      return logIdOf(checkpoint, await keys(call)) ?? logIdOf(checkpoint, await newer(call));
    },
  };

  async function keys(call: Call): Promise<readonly TrustedKey[]> {
    const root = await trust?.(call);
    if (root) return root.logs;
    if (seen.length === 0) await look(call);
    return seen;
  }

  async function newer(call: Call): Promise<readonly TrustedKey[]> {
    const root = await trust?.({ ...call, fresh: true });
    if (root) return root.logs;
    if (asking || now() - asked >= askAgainMs) await look(call);
    return seen;
  }

  /** Many entries may meet the new key at once; one of them asks. Old keys still speak for old entries. */
  async function look(call: Call): Promise<void> {
    asking ??= shown({ signal: AbortSignal.timeout(askAgainMs) })
      .then((key) => {
        asked = now();
        if (!seen.some(({ keyId }) => keyId === key.keyId)) seen.push(key);
      })
      .finally(() => {
        asking = undefined;
      });
    await joined(asking, call.signal);
  }
}
