import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { TrustedKey } from "@countersign/core";

export interface CtLog {
  /** Every key it ever had, the present one last. */
  readonly keys: readonly TrustedKey[];
  /** A signed certificate timestamp (RFC 6962 section 3.2, TLS encoding) over a certificate without its own, as DER of its TBS part. */
  stamp(entry: { readonly tbs: Uint8Array; readonly issuerKey: Uint8Array }): Uint8Array;
  /** Another key from now on. */
  rotate(): void;
}

export interface CtLogOptions {
  readonly url?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A certificate transparency log as far as a CA and verifiers see it: its key and its promises. Nothing is kept. */
export function ctLog({ url = "https://ct.example.test", now = Date.now }: CtLogOptions = {}): CtLog {
  const keys: TrustedKey[] = [];
  let current = made();
  return {
    keys,
    rotate() {
      current = made();
    },
    stamp({ tbs, issuerKey }) {
      const timestamp = Buffer.alloc(8);
      timestamp.writeBigUInt64BE(BigInt(now()));
      const entry = Buffer.concat([createHash("sha256").update(issuerKey).digest(), uint(tbs.length, 3), tbs]);
      const signed = Buffer.concat([Buffer.of(v1, certificateTimestamp), timestamp, uint(precertEntry, 2), entry, uint(0, 2)]);
      const mark = sign("sha256", signed, current.privateKey);
      return Buffer.concat([Buffer.of(v1), current.id, timestamp, uint(0, 2), Buffer.of(sha256, ecdsa), uint(mark.length, 2), mark]);
    },
  };

  function made(): { readonly id: Buffer; readonly privateKey: KeyObject } {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicKey = createPublicKey(privateKey);
    const id = createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest();
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    // Trust roots name the day, not the moment.
    const start = new Date(now() - 86_400_000).toISOString();
    keys.push({ keyId: id.toString("base64"), publicKey: pem, url, validFor: { start } });
    return { id, privateKey };
  }
}

const [v1, certificateTimestamp, precertEntry, sha256, ecdsa] = [0, 0, 1, 4, 3];

function uint(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
}
