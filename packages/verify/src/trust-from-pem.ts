import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import type { Period, TrustedAuthority, TrustedKey } from "@countersign/core";
import type { TimedKey, TrustMaterial } from "./trust.ts";

/**
 * The public keys of a PEM text such as cosign.pub; several blocks are several trusted keys. Lines `valid-from: <RFC 3339>` and
 * `valid-until: <RFC 3339>` above a block limit its key to that time; other text between blocks is passed over (RFC 7468 section 2).
 *
 * @throws TypeError when there is no key, a time is none, or something else is among them; the text is never quoted
 */
export function trustFromPem(text: string): TrustMaterial {
  const keys = blocksOf(text, "PUBLIC KEY", "cosign.pub").map(({ pem, above }) => ({ publicKey: pem, validFor: periodIn(above) }));
  const timed = keys.filter((key): key is TimedKey => key.validFor !== undefined);
  const publicKeys = keys.filter(({ validFor }) => validFor === undefined).map(({ publicKey }) => publicKey);
  return { publicKeys, ...(timed.length > 0 && { timedKeys: timed }) };
}

/**
 * The keys of logs out of a PEM text; the same lines limit their time.
 *
 * @throws TypeError as trustFromPem does
 */
export function trustedKeysFromPem(text: string, url: string): readonly TrustedKey[] {
  return blocksOf(text, "PUBLIC KEY", "rekor.pub").map(({ pem, above }) => {
    const validFor = periodIn(above);
    return { keyId: keyIdOf(pem), publicKey: pem, url, ...(validFor && { validFor }) };
  });
}

/**
 * One authority out of a PEM text of certificates: issuing certificate first, root last, or a heap of roots and intermediates.
 *
 * @throws TypeError as trustFromPem does
 */
export function trustedAuthorityFromPem(text: string, url: string): TrustedAuthority {
  const certificates = blocksOf(text, "CERTIFICATE", "chain.pem").map(({ pem }) => pem);
  for (const pem of certificates) readOr(() => new X509Certificate(pem), "this holds a certificate that cannot be read; give it as PEM");
  return { url, certificates };
}

interface Block {
  readonly pem: string;
  /** The text between the block before and this one. */
  readonly above: string;
}

function blocksOf(text: string, wanted: "PUBLIC KEY" | "CERTIFICATE", example: string): readonly Block[] {
  const types = [...text.matchAll(/-----BEGIN ([^-\r\n]+)-----/g)].map(([, type]) => type);
  const other = types.find((type) => type !== wanted);
  if (other?.includes("PRIVATE KEY")) throw new TypeError(`this is a private key; verifying wants the public one, such as ${example}`);
  if (other) throw new TypeError(`this holds a "${other}"; verifying wants a "${wanted}", such as ${example}`);
  const found = [...text.matchAll(new RegExp(`-----BEGIN ${wanted}-----[\\s\\S]*?-----END ${wanted}-----`, "g"))];
  const what = wanted === "PUBLIC KEY" ? "public key" : "certificate";
  if (found.length === 0) throw new TypeError(`this holds no ${what} in PEM form, such as ${example}`);
  const ends = found.map(({ index, 0: pem }) => index + pem.length);
  return found.map(({ index, 0: pem }, i) => ({ pem: `${pem}\n`, above: text.slice(ends[i - 1] ?? 0, index) }));
}

function periodIn(above: string): Period | undefined {
  const [start, end] = ["valid-from", "valid-until"].map((word) => timeIn(above, word));
  if (start === undefined && end === undefined) return undefined;
  return { ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
}

function timeIn(above: string, word: string): string | undefined {
  const text = new RegExp(`^[# \\t]*${word}:[ \\t]*(\\S*)`, "m").exec(above)?.[1];
  if (text === undefined) return undefined;
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(Date.parse(text)))
    throw new TypeError(`${word} above a key is no time; write it like 2026-01-31T00:00:00Z`);
  return text;
}

/** As Rekor v1 and CT logs name their keys (RFC 6962 section 3.2): sha256 of the SPKI DER, base64. */
export function keyIdOf(publicKey: string): string {
  const key = readOr(() => createPublicKey(publicKey), "this holds a public key that cannot be read; give it as SPKI PEM");
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("base64");
}

function readOr<T>(read: () => T, sentence: string): T {
  try {
    return read();
  } catch {
    throw new TypeError(sentence);
  }
}
