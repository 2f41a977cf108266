import type { LogEntry } from "@countersign/core";
import { logKeyFrom } from "./log-key.ts";

type Promised = Pick<LogEntry, "canonicalizedBody" | "integratedTime" | "logId" | "logIndex">;

/**
 * What a Rekor v1 log signs when it promises to keep an entry: canonical JSON (RFC 8785) of four members. The body is base64 and the rest
 * are integers and hex, so that nothing needs escaping.
 */
export function promiseText({ canonicalizedBody, integratedTime = "0", logId, logIndex }: Promised): string {
  const logID = Buffer.from(logId.keyId, "base64").toString("hex");
  return `{"body":"${canonicalizedBody}","integratedTime":${integratedTime},"logID":"${logID}","logIndex":${logIndex}}`;
}

export function isPromisedBy(entry: LogEntry, publicKey: string): boolean {
  const signature = Buffer.from(entry.inclusionPromise?.signedEntryTimestamp ?? "", "base64");
  return signature.length > 0 && logKeyFrom(publicKey).verifies(Buffer.from(promiseText(entry)), signature);
}
