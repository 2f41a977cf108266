import { X509Certificate } from "node:crypto";
import { type Attestation, CountersignError, type Evidence, type Found, type LogEntry } from "@countersign/core";
import { base64Bytes, hintOf, parseEnvelope } from "@countersign/in-toto-attestation";
import { logEntriesIn, timestampsIn } from "./evidence.ts";
import { foundSignature } from "./found.ts";
import { sha256 } from "./message.ts";

/** The media type of a bundle, of the layer that holds one, and the artifact type of its manifest. */
export const sigstoreBundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/**
 * An attestation as one sigstore bundle (protobuf JSON, v0.3), member by member as cosign 3 writes it: no keyid, leaf certificate only,
 * log entries whole.
 *
 * @throws CountersignError "store.no-envelope" for a payload that has no DSSE envelope: verifiers accept no such bundle
 */
export function sigstoreBundle({ payload, signature, evidence }: Pick<Attestation, "payload" | "signature" | "evidence">): string {
  if (payload.envelope !== "dsse") {
    const sentence = `${payload.format} has no DSSE envelope, and a sigstore bundle about an image must have one; sign a statement instead`;
    throw new CountersignError("store.no-envelope", sentence, { retry: "never" });
  }
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return JSON.stringify({
    mediaType: sigstoreBundleMediaType,
    verificationMaterial: {
      ...(signature.certificate
        ? { certificate: { rawBytes: base64(new X509Certificate(signature.certificate).raw) } }
        : { publicKey: { hint: hintOf(signature.publicKey) } }),
      ...evidenceMaterial(evidence),
    },
    dsseEnvelope: {
      payload: base64(payload.body),
      payloadType: payload.mediaType,
      signatures: [{ sig: base64(signature.bytes) }],
    },
  });
}

/** Log entries and timestamps as verification material names them; nothing where there is none. */
export function evidenceMaterial(evidence: readonly Evidence[]): object {
  const [entries, tokens] = [logEntriesIn(evidence), timestampsIn(evidence, "signature")];
  return {
    ...(entries.length > 0 && { tlogEntries: entries.map(withoutZeros) }),
    ...(tokens.length > 0 && {
      timestampVerificationData: { rfc3161Timestamps: tokens.map((signedTimestamp) => ({ signedTimestamp })) },
    }),
  };
}

/** Protobuf's JSON leaves zeros out. */
function withoutZeros(entry: LogEntry): object {
  const { logIndex, logId, kindVersion, integratedTime, inclusionPromise, inclusionProof, canonicalizedBody } = entry;
  return {
    ...(logIndex !== "0" && { logIndex }),
    logId,
    kindVersion,
    ...(integratedTime && integratedTime !== "0" && { integratedTime }),
    ...(inclusionPromise && { inclusionPromise }),
    ...(inclusionProof && { inclusionProof: proofWithoutZeros(inclusionProof) }),
    canonicalizedBody,
  };
}

function proofWithoutZeros({ logIndex, rootHash, treeSize, hashes, checkpoint }: NonNullable<LogEntry["inclusionProof"]>): object {
  return { ...(logIndex !== "0" && { logIndex }), rootHash, treeSize, ...(hashes.length > 0 && { hashes }), checkpoint };
}

/** What a bundle that somebody left holds, believing nothing. */
export interface FoundInBundle {
  readonly found: Found;
  /** What was signed. */
  readonly payload: Uint8Array;
  readonly payloadType: string;
  /** Which key, where there is no certificate: with us and cosign base64 of the SHA-256 over its SPKI. */
  readonly hint?: string;
}

/** Undefined for what is no bundle with an envelope. Versions v0.1 to v0.3 are read. */
export function foundInBundle(text: string): FoundInBundle | undefined {
  try {
    const { mediaType, verificationMaterial = {}, dsseEnvelope } = JSON.parse(text) as Loose;
    if (typeof mediaType !== "string" || !/^application\/vnd\.dev\.sigstore\.bundle[.+;]/.test(mediaType)) return undefined;
    const envelope = parseEnvelope(JSON.stringify(dsseEnvelope));
    const payload = base64Bytes(envelope.payload);
    const bytes = envelope.signatures[0] && base64Bytes(envelope.signatures[0].sig);
    if (!payload || !bytes) return undefined;
    const certificates = certificatesIn(verificationMaterial);
    const signature = foundSignature(bytes, { certificate: certificates[0], chain: certificates.slice(1).join("") || undefined });
    return {
      found: { digest: sha256(payload), signature, evidence: evidenceIn(verificationMaterial) },
      payload,
      payloadType: envelope.payloadType,
      ...hintIn(verificationMaterial),
    };
  } catch {
    return undefined; // somebody's damaged bundle must not hide the sound ones beside it
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; every value is checked where it is used
export type Loose = Readonly<Record<string, any>>;

function hintIn({ publicKey }: Loose): Pick<FoundInBundle, "hint"> {
  return typeof publicKey?.hint === "string" && publicKey.hint !== "" ? { hint: publicKey.hint } : {};
}

function certificatesIn({ certificate, x509CertificateChain }: Loose): readonly string[] {
  const all: readonly Loose[] = certificate ? [certificate] : (x509CertificateChain?.certificates ?? []);
  return all.map(({ rawBytes }) => `${new X509Certificate(Buffer.from(rawBytes, "base64"))}`);
}

/** The reverse, of a stranger's JSON. @throws where it has another form altogether */
export function evidenceIn({ tlogEntries = [], timestampVerificationData }: Loose): readonly Evidence[] {
  const entries = (tlogEntries as readonly Loose[]).flatMap(logEntryFrom);
  const tokens: readonly Loose[] = timestampVerificationData?.rfc3161Timestamps ?? [];
  return [
    ...entries.map((entry) => ({ kind: "log-entry", entry }) as const),
    ...tokens.map(({ signedTimestamp }) => ({ kind: "timestamp", token: String(signedTimestamp) }) as const),
  ];
}

/** Zeros that protobuf left out come back. */
function logEntryFrom(value: Loose): readonly LogEntry[] {
  const { logIndex = "0", logId, kindVersion, integratedTime, inclusionPromise, inclusionProof, canonicalizedBody } = value;
  if (!logId?.keyId || !kindVersion?.kind || typeof canonicalizedBody !== "string") return [];
  const { rootHash, treeSize, hashes = [], checkpoint } = inclusionProof ?? {};
  return [
    {
      logIndex: String(logIndex),
      logId: { keyId: String(logId.keyId) },
      kindVersion: { kind: String(kindVersion.kind), version: String(kindVersion.version ?? "") },
      ...(integratedTime && { integratedTime: String(integratedTime) }),
      ...(inclusionPromise?.signedEntryTimestamp && {
        inclusionPromise: { signedEntryTimestamp: String(inclusionPromise.signedEntryTimestamp) },
      }),
      ...(inclusionProof && {
        inclusionProof: {
          logIndex: String(inclusionProof.logIndex ?? "0"),
          rootHash: String(rootHash),
          treeSize: String(treeSize),
          hashes: (hashes as readonly unknown[]).map(String),
          checkpoint: { envelope: String(checkpoint?.envelope ?? "") },
        },
      }),
      canonicalizedBody,
    },
  ];
}
