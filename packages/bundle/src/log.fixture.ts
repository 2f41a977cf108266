import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { LogEntry, TrustedKey } from "@countersign/core";

/** RFC 6962 section 2.1 as it is written there, recursion and all: slow, and no code shared with what is tested. */
export const hashOf = (...parts: readonly Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();

export function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return hashOf(Buffer.of(0), leaves[0] as Buffer);
  const k = splitOf(leaves.length);
  return hashOf(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

export function pathTo(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const k = splitOf(leaves.length);
  return index < k
    ? [...pathTo(index, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...pathTo(index - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

const splitOf = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

export interface ALog {
  readonly key: TrustedKey;
  /** The entry at that place of a tree with so many leaves. */
  entry(index: number, size: number): LogEntry;
}

const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** A small log with a key of its own: v1 (ECDSA, promise) or v2 (Ed25519, no promise). */
export function aLog(version: "v1" | "v2", origin: string = version === "v1" ? "log.test - 42" : "log.test"): ALog {
  const pair = version === "v1" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  const name = "log.test";
  const raw = spki(pair.publicKey);
  const id = version === "v1" ? hashOf(raw) : hashOf(Buffer.from(`${name}\n`), Buffer.of(1), raw.subarray(-32));
  const signed = (text: string): Buffer => sign(version === "v1" ? "sha256" : null, Buffer.from(text), pair.privateKey);
  const kindVersion = version === "v1" ? { kind: "dsse", version: "0.0.1" } : { kind: "hashedrekord", version: "0.0.2" };
  const leafOf = (n: number): Buffer =>
    Buffer.from(JSON.stringify({ apiVersion: kindVersion.version, kind: kindVersion.kind, spec: { n } }));
  return {
    key: { keyId: base64(id), publicKey: pair.publicKey.export({ type: "spki", format: "pem" }).toString(), url: "https://log.test" },
    entry(index, size) {
      const leaves = Array.from({ length: size }, (_, n) => leafOf(n));
      const root = treeHash(leaves);
      const text = `${origin}\n${size}\n${base64(root)}\n`;
      const envelope = `${text}\n— ${name} ${base64(Buffer.concat([id.subarray(0, 4), signed(text)]))}\n`;
      const canonicalizedBody = base64(leaves[index] as Buffer);
      const logIndex = version === "v1" ? index + 1000 : index;
      const promise = `{"body":"${canonicalizedBody}","integratedTime":1795319629,"logID":"${id.toString("hex")}","logIndex":${logIndex}}`;
      return {
        logIndex: `${logIndex}`,
        logId: { keyId: base64(id) },
        kindVersion,
        ...(version === "v1" && {
          integratedTime: "1795319629",
          inclusionPromise: { signedEntryTimestamp: base64(signed(promise)) },
        }),
        inclusionProof: {
          logIndex: `${index}`,
          rootHash: base64(root),
          treeSize: `${size}`,
          hashes: pathTo(index, leaves).map(base64),
          checkpoint: { envelope },
        },
        canonicalizedBody,
      };
    },
  };
}
