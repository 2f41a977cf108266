import type { Found, FoundSignature } from "@countersign/core";
import { base64Bytes, type Envelope, parseEnvelope } from "@countersign/in-toto-attestation";
import { sha256 } from "./message.ts";

interface Kept {
  readonly certificate?: string | undefined;
  readonly chain?: string | undefined;
}

export function foundSignature(bytes: Uint8Array, { certificate, chain }: Kept): FoundSignature {
  return { bytes, ...(certificate && { certificate }), ...(chain && { chain }) };
}

/** What an envelope that somebody left holds; undefined when it is none. Judging is the signer's and the verifier's work. */
export function foundInEnvelope(text: string, kept: Kept): Found | undefined {
  const envelope = envelopeOrNothing(text);
  const payload = envelope && base64Bytes(envelope.payload);
  const signature = envelope?.signatures[0] && base64Bytes(envelope.signatures[0].sig);
  if (!payload || !signature) return undefined;
  return { digest: sha256(payload), signature: foundSignature(signature, kept), evidence: [] };
}

function envelopeOrNothing(text: string): Envelope | undefined {
  try {
    return parseEnvelope(text);
  } catch {
    return undefined;
  }
}
