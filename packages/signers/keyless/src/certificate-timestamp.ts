import { createHash, createPublicKey, verify } from "node:crypto";
import type { TrustedKey } from "@countersign/core";
import { ByteStream, EXTENSION_OID_SCT, type X509Certificate } from "@sigstore/core";
import { covers } from "./trust.ts";

/** One log's promise, RFC 6962 section 3.2. */
interface Timestamp {
  /** base64 */
  readonly logId: string;
  readonly time: Date;
  isBy(publicKey: string): boolean;
}

/** sound: a trusted log stamped it. unknown: only logs that nobody trusts did. */
export type StampVerdict = "sound" | "missing" | "unknown" | "forged";

/** `detached` is a log's answer as Fulcio hands it on beside a certificate that carries no timestamp itself. */
export function stampVerdict(
  leaf: X509Certificate,
  issuer: X509Certificate,
  ctLogs: readonly TrustedKey[],
  detached: Uint8Array | undefined,
): StampVerdict {
  const stamps = [...embedded(leaf, issuer), ...(detached ? outside(leaf, detached) : [])];
  if (stamps.length === 0) return "missing";
  const known = stamps.flatMap((stamp) => {
    const log = ctLogs.find(({ keyId, validFor }) => keyId === stamp.logId && covers(validFor, stamp.time));
    return log ? [{ stamp, log }] : [];
  });
  if (known.length === 0) return "unknown";
  return known.every(({ stamp, log }) => stamp.isBy(log.publicKey)) ? "sound" : "forged";
}

/** The log signed the certificate as it was before its timestamps were put in, and the issuer's key. */
function embedded(leaf: X509Certificate, issuer: X509Certificate): readonly Timestamp[] {
  const stamps = leaf.extSCT?.signedCertificateTimestamps ?? [];
  if (stamps.length === 0) return [];
  const before = leaf.clone();
  before.extensions.splice(
    before.extensions.findIndex(({ subs }) => subs[0]?.toOID() === EXTENSION_OID_SCT),
    1,
  );
  const tbs = before.tbsCertificate.toDER();
  const entry = new ByteStream();
  entry.appendView(createHash("sha256").update(issuer.publicKey).digest());
  entry.appendUint24(tbs.length);
  entry.appendView(tbs);
  return stamps.map((stamp) => ({
    logId: stamp.logID.toString("base64"),
    time: stamp.datetime,
    isBy: (publicKey) => stamp.verify(entry.buffer, createPublicKey(publicKey)),
  }));
}

const [v1, certificateTimestamp, x509Entry] = [0, 0, 0];
const hashes: Readonly<Record<number, string>> = { 4: "sha256", 5: "sha384", 6: "sha512" };

/** RFC 6962 section 4.1: the log's JSON answer; its signature is a TLS struct: hash, algorithm, length, bytes. */
function outside(leaf: X509Certificate, answer: Uint8Array): readonly Timestamp[] {
  const stamp = answerFrom(answer);
  if (!stamp) return [];
  const certificate = leaf.root.toDER();
  const signed = new ByteStream();
  signed.appendChar(v1);
  signed.appendChar(certificateTimestamp);
  signed.appendView(uint64(stamp.timestamp));
  signed.appendUint16(x509Entry);
  signed.appendUint24(certificate.length);
  signed.appendView(certificate);
  signed.appendUint16(stamp.extensions.length);
  signed.appendView(stamp.extensions);
  const [hash = 0, , ...rest] = stamp.signature;
  const mark = Buffer.from(rest.slice(2));
  const name = hashes[hash];
  return [
    {
      logId: stamp.id,
      time: new Date(stamp.timestamp),
      isBy: (publicKey) => name !== undefined && verify(name, signed.buffer, publicKey, mark),
    },
  ];
}

interface LogAnswer {
  readonly id: string;
  readonly timestamp: number;
  readonly extensions: Buffer;
  readonly signature: Buffer;
}

function answerFrom(bytes: Uint8Array): LogAnswer | undefined {
  try {
    const { sct_version: version, id, timestamp, extensions = "", signature } = JSON.parse(Buffer.from(bytes).toString());
    if (version !== v1 || typeof id !== "string" || !Number.isSafeInteger(timestamp) || timestamp < 0) return undefined;
    return { id, timestamp, extensions: Buffer.from(String(extensions), "base64"), signature: Buffer.from(String(signature), "base64") };
  } catch {
    return undefined;
  }
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
