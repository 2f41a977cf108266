import { hash } from "node:crypto";
import { dsseEnvelope, messageOf, sha256 } from "@countersign/bundle";
import { keyidOf } from "@countersign/in-toto-attestation";
import type { Signed } from "./log.ts";
import { hashIn, unsupported, verifierOf } from "./verifier.ts";

/**
 * What Rekor v1 is asked to keep: a dsse 0.0.1 or intoto 0.0.2 entry for an envelope, a hashedrekord 0.0.1 for bare bytes.
 *
 * @throws CountersignError "witness.key-unsupported", hold, for signatures that no Rekor v1 can check
 */
export function proposalFor(attestation: Signed, entryKind: "dsse" | "intoto"): object {
  if (attestation.payload.envelope === "none") return hashedRekord(attestation);
  if (!["ecdsa-sha256", "rsa-pkcs1-sha256", "ed25519"].includes(attestation.signature.algorithm))
    throw unsupported(
      attestation,
      "Rekor v1 checks envelopes with SHA-256 only; sign with a P-256 or RSA key, or set transparency.version to v2 and give its log",
    );
  return entryKind === "intoto" ? intoto(attestation) : dsse(attestation);
}

function dsse(attestation: Signed): object {
  const proposedContent = { envelope: dsseEnvelope(attestation), verifiers: [base64(verifierOf(attestation.signature))] };
  return { apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent, signatures: null } };
}

/** Payload and signature are base64 of base64: the kind wraps the envelope's own text. */
function intoto(attestation: Signed): object {
  const { payload, signature } = attestation;
  const envelope = {
    payloadType: payload.mediaType,
    payload: base64(base64(payload.body)),
    signatures: [{ keyid: keyidOf(signature.publicKey), sig: base64(base64(signature.bytes)), publicKey: base64(verifierOf(signature)) }],
  };
  const hash = { algorithm: "sha256", value: sha256(dsseEnvelope(attestation)) };
  const payloadHash = { algorithm: "sha256", value: sha256(payload.body) };
  return { apiVersion: "0.0.2", kind: "intoto", spec: { content: { envelope, hash, payloadHash } } };
}

function hashedRekord(attestation: Signed): object {
  const { payload, signature } = attestation;
  const algorithm = hashIn(signature.algorithm);
  if (!algorithm) throw unsupported(attestation, "Rekor sees only a hash here, and cannot check that; sign with an ECDSA or RSA key");
  const data = { hash: { algorithm, value: hash(algorithm, messageOf(payload)) } };
  const publicKey = { content: base64(verifierOf(signature)) };
  return { apiVersion: "0.0.1", kind: "hashedrekord", spec: { data, signature: { content: base64(signature.bytes), publicKey } } };
}

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString("base64");
