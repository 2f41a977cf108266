/** One signature of an envelope (DSSE protocol v1). */
export interface EnvelopeSignature {
  readonly keyid?: string;
  /** Standard base64. */
  readonly sig: string;
}

/** A DSSE envelope in its JSON form (https://github.com/secure-systems-lab/dsse, envelope.md). */
export interface Envelope {
  readonly payloadType: string;
  /** Standard base64 of the payload. */
  readonly payload: string;
  readonly signatures: readonly EnvelopeSignature[];
}

/** The payloadType of every in-toto statement. */
export const inTotoPayloadType = "application/vnd.in-toto+json";

/** DSSE's pre-authentication encoding: the bytes that get signed (protocol.md). Lengths are byte lengths in ASCII decimal. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The envelope as text: member order payloadType, payload, signatures (keyid, sig), no white space, as cosign and Tekton Chains write it. */
export function envelopeText(
  payloadType: string,
  payload: Uint8Array,
  signature: { readonly keyid: string; readonly bytes: Uint8Array },
): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
  return JSON.stringify({ payloadType, payload: base64(payload), signatures: [{ keyid: signature.keyid, sig: base64(signature.bytes) }] });
}

/** Strict base64, standard or URL alphabet as the DSSE envelope allows; undefined when it is neither. */
export function base64Bytes(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

/** An envelope that somebody else wrote. @throws TypeError that names what is missing; it never quotes the text. */
export function parseEnvelope(text: string): Envelope {
  const value = jsonObject(text);
  const { payloadType, payload, signatures } = value;
  if (typeof payloadType !== "string") throw new TypeError("the DSSE envelope has no payloadType");
  if (typeof payload !== "string" || !base64Bytes(payload)) throw new TypeError("the DSSE envelope's payload is not base64");
  if (!Array.isArray(signatures) || signatures.length === 0) throw new TypeError("the DSSE envelope carries no signature");
  return { payloadType, payload, signatures: signatures.map(parseSignature) };
}

function parseSignature(value: unknown): EnvelopeSignature {
  const { keyid, sig } = (typeof value === "object" && value !== null ? value : {}) as { keyid?: unknown; sig?: unknown };
  if (typeof sig !== "string" || !base64Bytes(sig)) throw new TypeError("a signature of the DSSE envelope is not base64");
  return { ...(typeof keyid === "string" && { keyid }), sig };
}

function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TypeError("the DSSE envelope is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("the DSSE envelope is not a JSON object");
  return value as Record<string, unknown>;
}
