import type { Annotations, Attestation, Evidence, Found, LogEntry } from "@countersign/core";
import { logEntriesIn, timestampsIn } from "./evidence.ts";
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
const timestampKey = "dev.sigstore.cosign/rfc3161timestamp";

/** The layer that cosign 2 and 3 read: keys in byte order, certificate and chain empty rather than absent, as Tekton Chains writes it. */
export function tagLayer(attestation: Attestation): Layer {
  const { payload, signature, evidence } = attestation;
  const raw = payload.envelope === "none";
  const log = logEntriesIn(evidence).find((entry) => entry.inclusionPromise);
  const [token] = timestampsIn(evidence, raw ? "signature" : "envelope");
  return {
    mediaType: raw ? payload.mediaType : dsseLayerMediaType,
    bytes: raw ? payload.body : Buffer.from(dsseEnvelope(attestation)),
    annotations: {
      [signatureKey]: raw ? Buffer.from(signature.bytes).toString("base64") : "",
      ...(log && { [logKey]: rekorBundle(log) }),
      [certificateKey]: signature.certificate ?? "",
      [chainKey]: signature.chain ?? "",
      ...(token && { [timestampKey]: JSON.stringify({ SignedRFC3161Timestamp: token }) }),
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

/**
 * What a layer kept, believing nothing; undefined for what is no signature at all. A tag keeps the log's promise and no inclusion proof,
 * so that is all the evidence there is.
 */
export function foundInLayer({ bytes, annotations }: Layer): Found | undefined {
  const rest = { certificate: annotations[certificateKey], chain: annotations[chainKey] };
  const signature = annotations[signatureKey];
  const found = signature
    ? { digest: sha256(bytes), signature: foundSignature(Buffer.from(signature, "base64"), rest), evidence: [] }
    : foundInEnvelope(Buffer.from(bytes).toString(), rest);
  return found && { ...found, evidence: evidenceFrom(annotations, signature ? {} : { over: "envelope" }) };
}

function evidenceFrom(
  { [logKey]: log, [timestampKey]: timestamp }: Annotations,
  over: { readonly over?: "envelope" },
): readonly Evidence[] {
  const entry = readable(log, promiseFrom);
  const token = readable(timestamp, ({ SignedRFC3161Timestamp: text }) => (typeof text === "string" && text !== "" ? text : undefined));
  return [...(entry ? [{ kind: "log-entry", entry } as const] : []), ...(token ? [{ kind: "timestamp", token, ...over } as const] : [])];
}

/** The reverse of rekorBundle; kind and version stand in the entry itself. */
function promiseFrom({ SignedEntryTimestamp, Payload }: Loose): LogEntry | undefined {
  const { body, integratedTime, logIndex, logID } = Payload ?? {};
  if (typeof SignedEntryTimestamp !== "string" || typeof body !== "string" || typeof logID !== "string") return undefined;
  const { kind, apiVersion } = JSON.parse(Buffer.from(body, "base64").toString()) as Loose;
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, "hex").toString("base64") },
    kindVersion: { kind: String(kind), version: String(apiVersion) },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
    canonicalizedBody: body,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; every value is checked where it is used
type Loose = Readonly<Record<string, any>>;

function readable<T>(text: string | undefined, read: (value: Loose) => T | undefined): T | undefined {
  try {
    return text ? read(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}
