import { createHash } from "node:crypto";
import type { Attestation, Payload } from "@countersign/core";
import { envelopeText, keyidOf, preAuthEncoding } from "@countersign/in-toto-attestation";

/** The bytes a signer signs: DSSE's pre-authentication encoding, or the payload as it is. */
export function messageOf({ envelope, mediaType, body }: Payload): Uint8Array {
  return envelope === "none" ? body : preAuthEncoding(mediaType, body);
}

/** The DSSE envelope of an attestation as text, with the signer's keyid. */
export function dsseEnvelope({ payload, signature }: Pick<Attestation, "payload" | "signature">): string {
  return envelopeText(payload.mediaType, payload.body, { keyid: keyidOf(signature.publicKey), bytes: signature.bytes });
}

/** What Tekton Chains calls the signature: the envelope, or the bare signature. */
export function signatureBlobOf({ payload, signature }: Pick<Attestation, "payload" | "signature">): Uint8Array {
  return payload.envelope === "dsse" ? Buffer.from(dsseEnvelope({ payload, signature })) : signature.bytes;
}

export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
