import type { LogEntry, TrustedKey } from "@countersign/core";
import { type Checkpoint, isSignedBy, parseCheckpoint } from "./checkpoint.ts";
import { logKeyFrom } from "./log-key.ts";
import { leafHash, rootFrom } from "./merkle.ts";
import { sameBytes } from "./message.ts";
import { isPromisedBy } from "./signed-entry-timestamp.ts";

export interface LogEntryRules {
  /** The log's promise (SET) stands for the proof of inclusion where an entry has none: cosign's tags keep only that. Default false. */
  readonly promiseSuffices?: boolean;
}

/**
 * Why an entry is not to be believed, in a sentence; undefined where it is sound. Whatever it carries must hold: proof of inclusion under
 * a checkpoint that one of the keys signed, and the promise (SET) where there is one. Whether the entry is about a given signature is not
 * asked here.
 */
export function logEntryFault(entry: LogEntry, keys: readonly TrustedKey[], rules: LogEntryRules = {}): string | undefined {
  try {
    const body = Buffer.from(entry.canonicalizedBody, "base64");
    return numbersFault(entry) ?? bodyFault(entry, body) ?? keysFault(entry, keysOf(entry, keys), body, rules);
  } catch {
    return "the log entry is damaged";
  }
}

/** "unknown key" apart from "wrong signature": a newer trust root may help only with the first. */
export function isOfKnownLog(entry: LogEntry, keys: readonly TrustedKey[]): boolean {
  return keysOf(entry, keys).length > 0;
}

function numbersFault({ logIndex, integratedTime = "0", inclusionProof }: LogEntry): string | undefined {
  const { logIndex: leafIndex, treeSize } = inclusionProof ?? { logIndex: "0", treeSize: "0" };
  const sound = [logIndex, integratedTime, leafIndex, treeSize].every((text) => /^(0|[1-9][0-9]{0,18})$/.test(text));
  return sound ? undefined : "a number of the log entry is none";
}

function bodyFault({ kindVersion: { kind, version }, canonicalizedBody }: LogEntry, body: Buffer): string | undefined {
  // Base64 that decodes to the same bytes in two spellings would give two promises for one leaf.
  if (body.length === 0 || body.toString("base64") !== canonicalizedBody) return "the log entry's body is not base64";
  const said = JSON.parse(body.toString()) as { readonly kind?: unknown; readonly apiVersion?: unknown };
  return said.kind === kind && said.apiVersion === version
    ? undefined
    : `the log entry says ${kind} ${version} and its body says otherwise`;
}

function keysFault(
  entry: LogEntry,
  keys: readonly TrustedKey[],
  body: Buffer,
  { promiseSuffices = false }: LogEntryRules,
): string | undefined {
  if (keys.length === 0) return `no known key belongs to the log with the id ${entry.logId.keyId}`;
  const { inclusionPromise, inclusionProof } = entry;
  if (inclusionPromise && !keys.some(({ publicKey }) => isPromisedBy(entry, publicKey)))
    return "the log's promise (signed entry timestamp) does not fit the entry";
  if (inclusionProof) return proofFault(entry, inclusionProof, keys, body);
  if (!inclusionPromise) return "the log entry has neither proof of inclusion nor promise";
  return promiseSuffices ? undefined : "the log entry has no proof of inclusion";
}

type InclusionProof = NonNullable<LogEntry["inclusionProof"]>;

function proofFault(entry: LogEntry, proof: InclusionProof, keys: readonly TrustedKey[], body: Buffer): string | undefined {
  const checkpoint = parseCheckpoint(proof.checkpoint.envelope);
  if (!checkpoint) return "the log's checkpoint is not one";
  if (!keys.some(({ publicKey }) => isSignedBy(checkpoint, publicKey))) return "the log's checkpoint is not signed by the log's key";
  // Where nothing else vouches for the entry's number (Rekor v2), the proof does.
  if (!entry.inclusionPromise && entry.logIndex !== proof.logIndex) return "the log entry's index differs from the one that is proved";
  return rootFault(proof, checkpoint, leafHash(body));
}

function rootFault({ logIndex, treeSize, rootHash, hashes }: InclusionProof, checkpoint: Checkpoint, leaf: Uint8Array): string | undefined {
  if (checkpoint.size !== BigInt(treeSize)) return "the proof of inclusion is about a tree of another size than the log's checkpoint";
  if (!sameBytes(Buffer.from(rootHash, "base64"), checkpoint.rootHash))
    return "the proof of inclusion names another root than the log's checkpoint";
  const path = { index: BigInt(logIndex), size: checkpoint.size, hashes: hashes.map((hash) => Buffer.from(hash, "base64")) };
  const root = rootFrom(leaf, path);
  return root && sameBytes(root, checkpoint.rootHash) ? undefined : "the proof of inclusion does not lead to the log's checkpoint";
}

/** By the name the entry gives its log, and only while the key counted. The log's own time says when: v2 has none, there a timestamp does. */
function keysOf({ logId, integratedTime, inclusionProof }: LogEntry, keys: readonly TrustedKey[]): readonly TrustedKey[] {
  const id = Buffer.from(logId.keyId, "base64");
  const origin = parseCheckpoint(inclusionProof?.checkpoint.envelope ?? "")?.origin;
  const at = Number(integratedTime ?? 0) * 1000;
  return keys.filter(({ keyId, publicKey, validFor }) => {
    const key = logKeyFrom(publicKey);
    const ids = [Buffer.from(keyId, "base64"), key.spkiId, ...(origin ? [key.noteId(origin)] : [])];
    return ids.some((own) => own.equals(id)) && (at === 0 || isWithin(at, validFor));
  });
}

function isWithin(at: number, { start, end }: NonNullable<TrustedKey["validFor"]> = {}): boolean {
  return (start === undefined || at >= Date.parse(start)) && (end === undefined || at <= Date.parse(end));
}
