import type { Annotations, Attestation, Evidence, Found, LogEntry } from "@countersign/core";
import { foundInEnvelope, foundSignature } from "./found.ts";
import { dsseEnvelope, sha256 } from "./message.ts";

/** A layer of cosign's `.sig` or `.att` tag, with its annotations. */
export interface Layer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations: Annotations;
}

export const dsseLayerMediaType = "application/vnd.dsse.envelope.v1+json";
export const simplesigningMediaType = "application/vnd.dev.cosign.simplesigning.v1+json";

const signatureKey = "dev.cosignproject.cosign/signature";
const certificateKey = "dev.sigstore.cosign/certificate";
const chainKey = "dev.sigstore.cosign/chain";
const logKey = "dev.sigstore.cosign/bundle";

/** The layer that cosign 2 and 3 read: keys in byte order, certificate and chain empty rather than absent, as Tekton Chains writes it. */
export function tagLayer(attestation: Attestation): Layer {
  const { payload, signature, evidence } = attestation;
  const raw = payload.envelope === "none";
  const log = logEntries(evidence).find((entry) => entry.inclusionPromise);
  return {
    mediaType: raw ? payload.mediaType : dsseLayerMediaType,
    bytes: raw ? payload.body : Buffer.from(dsseEnvelope(attestation)),
    annotations: {
      [signatureKey]: raw ? Buffer.from(signature.bytes).toString("base64") : "",
      ...(log && { [logKey]: rekorBundle(log) }),
      [certificateKey]: signature.certificate ?? "",
      [chainKey]: signature.chain ?? "",
      // Chains leaves it out, cosign writes it, and registries' tools show it; no verifier minds either way.
      ...(payload.predicateType && { predicateType: payload.predicateType }),
    },
  };
}

/** The log's promise in the form cosign verifies offline: SignedEntryTimestamp, then the payload it signs. */
export function rekorBundle({ inclusionPromise, canonicalizedBody, integratedTime, logIndex, logId }: LogEntry): string {
  const logID = Buffer.from(logId.keyId, "base64").toString("hex");
  const Payload = { body: canonicalizedBody, integratedTime: Number(integratedTime), logIndex: Number(logIndex), logID };
  return JSON.stringify({ SignedEntryTimestamp: inclusionPromise?.signedEntryTimestamp, Payload });
}

/** What a layer kept, believing nothing; undefined for what is no signature at all. A tag keeps no inclusion proof, so no evidence either. */
export function foundInLayer({ bytes, annotations }: Layer): Found | undefined {
  const rest = { certificate: annotations[certificateKey], chain: annotations[chainKey] };
  const signature = annotations[signatureKey];
  if (signature) return { digest: sha256(bytes), signature: foundSignature(Buffer.from(signature, "base64"), rest), evidence: [] };
  return foundInEnvelope(Buffer.from(bytes).toString(), rest);
}

const logEntries = (evidence: readonly Evidence[]): readonly LogEntry[] =>
  evidence.flatMap((e) => (e.kind === "log-entry" ? [e.entry] : []));
