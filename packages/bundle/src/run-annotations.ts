import type { Annotations, Artifact, Attestation, Evidence, Found, Payload } from "@countersign/core";
import { foundInEnvelope, foundSignature } from "./found.ts";
import { sha256, signatureBlobOf } from "./message.ts";
import { evidenceIn, evidenceMaterial } from "./sigstore-bundle.ts";

/** Every annotation of ours, and of Tekton Chains, begins so. */
export const annotationPrefix = "chains.tekton.dev/";

/**
 * Four annotations for an attestation, each base64; cert and chain are written even when empty, as Tekton Chains does. A fifth keeps what
 * logs and timestamp authorities said, where they did, so that the run can be verified without asking them again.
 */
export function runAnnotations(attestation: Attestation): Annotations {
  const { artifact, payload, signature, evidence } = attestation;
  return {
    [keyOf("payload", artifact)]: base64(payload.body),
    [keyOf("signature", artifact)]: base64(signatureBlobOf(attestation)),
    [keyOf("cert", artifact)]: base64(Buffer.from(signature.certificate ?? "")),
    [keyOf("chain", artifact)]: base64(Buffer.from(signature.chain ?? "")),
    ...(evidence.length > 0 && { [keyOf("evidence", artifact)]: base64(Buffer.from(JSON.stringify(evidenceMaterial(evidence)))) }),
  };
}

/** What the annotations of a run keep of one artifact, believing nothing. */
export function foundInAnnotations(
  annotations: Annotations,
  artifact: Artifact,
  { envelope }: Pick<Payload, "envelope">,
): readonly Found[] {
  const bytesOf = (what: Part): Buffer => Buffer.from(annotations[keyOf(what, artifact)] ?? "", "base64");
  const [payload, blob] = [bytesOf("payload"), bytesOf("signature")];
  if (payload.length === 0 || blob.length === 0) return [];
  const kept = { certificate: bytesOf("cert").toString(), chain: bytesOf("chain").toString() };
  const evidence = keptEvidence(bytesOf("evidence"));
  if (envelope === "none") return [{ digest: sha256(payload), signature: foundSignature(blob, kept), evidence }];
  const found = foundInEnvelope(blob.toString(), kept);
  // The payload stands there twice; where the two differ, nobody could say which one was signed.
  return found?.digest === sha256(payload) ? [{ ...found, evidence }] : [];
}

function keptEvidence(bytes: Buffer): readonly Evidence[] {
  try {
    return bytes.length === 0 ? [] : evidenceIn(JSON.parse(bytes.toString("utf8")));
  } catch {
    return []; // damaged: as good as absent
  }
}

type Part = "payload" | "signature" | "cert" | "chain" | "evidence";
const keyOf = (what: Part, { shortKey }: Artifact): string => `${annotationPrefix}${what}-${shortKey}`;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
