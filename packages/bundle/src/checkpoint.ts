import type { TrustedKey } from "@countersign/core";
import { type LogKey, logKeyFrom } from "./log-key.ts";

/** A log's signed word about its size and root: https://c2sp.org/tlog-checkpoint inside https://c2sp.org/signed-note. */
export interface Checkpoint {
  /** v1: "<hostname> - <tree id>"; v2: the log's host name. */
  readonly origin: string;
  readonly size: bigint;
  readonly rootHash: Uint8Array;
  /** The bytes that get signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

interface NoteSignature {
  readonly name: string;
  /** The first four bytes of the key's ID: which key to try, and no more. */
  readonly hint: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Undefined for what is no checkpoint. */
export function parseCheckpoint(envelope: string): Checkpoint | undefined {
  const end = envelope.indexOf("\n\n");
  if (end < 0) return undefined;
  const text = envelope.slice(0, end + 1);
  const [origin = "", size = "", root = ""] = text.split("\n");
  const rootHash = Buffer.from(root, "base64");
  if (origin === "" || !/^(0|[1-9][0-9]{0,18})$/.test(size) || rootHash.length !== 32 || rootHash.toString("base64") !== root)
    return undefined;
  const signatures = [...envelope.slice(end + 2).matchAll(/^— (\S+) ([A-Za-z0-9+/]+={0,2})$/gmu)].flatMap(([, name = "", blob = ""]) => {
    const bytes = Buffer.from(blob, "base64");
    return bytes.length > 4 && bytes.toString("base64") === blob ? [{ name, hint: bytes.subarray(0, 4), bytes: bytes.subarray(4) }] : [];
  });
  return { origin, size: BigInt(size), rootHash, text, signatures };
}

/** Whether this key signed, under the name that the checkpoint bears: the same key may serve other logs under other names. */
export function isSignedBy({ origin, text, signatures }: Checkpoint, publicKey: string): boolean {
  const key = logKeyFrom(publicKey);
  const message = Buffer.from(text);
  return signatures
    .filter(({ name, hint }) => (origin === name || origin.startsWith(`${name} - `)) && fits(key, name, hint))
    .some(({ bytes }) => key.verifies(message, bytes));
}

/** The untruncated id (base64) of the log that signed; undefined where none of the keys did. */
export function logIdOf(checkpoint: Checkpoint, keys: readonly TrustedKey[]): string | undefined {
  const key = keys.find(({ publicKey }) => isSignedBy(checkpoint, publicKey));
  return key && logKeyFrom(key.publicKey).noteId(checkpoint.origin).toString("base64");
}

/** Rekor v1 takes the SPKI's hash for every kind of key, the note format only for ECDSA. */
const fits = (key: LogKey, name: string, hint: Uint8Array): boolean =>
  [key.noteId(name), key.spkiId].some((id) => id.subarray(0, 4).equals(hint));
