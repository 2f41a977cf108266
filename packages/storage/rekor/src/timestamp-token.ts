import { X509Certificate } from "node:crypto";
import type { TrustedAuthority } from "@countersign/core";
import { type ASN1Obj, X509Certificate as ParsedCertificate, RFC3161Timestamp } from "@sigstore/core";

export interface TokenRules {
  /** Absent: any authority's, so long as the token holds together. */
  readonly authorities?: readonly TrustedAuthority[] | undefined;
  /** Big-endian; of the question that it must answer. */
  readonly nonce?: Uint8Array;
}

/**
 * Why an RFC 3161 reply is not to be believed about those bytes, in a sentence; undefined where it is sound.
 * "unknown authority": a newer trust root may know it.
 */
export function tokenFault(token: Uint8Array, about: Uint8Array, rules: TokenRules): string | undefined {
  try {
    return faultOf(RFC3161Timestamp.parse(Buffer.from(token)), about, rules);
  } catch {
    return noToken; // whatever is damaged in it
  }
}

const noToken = "it is no timestamp token";

function faultOf(timestamp: RFC3161Timestamp, about: Uint8Array, { authorities, nonce }: TokenRules): string | undefined {
  // 0: granted, 1: granted with changes (RFC 3161 section 2.4.2).
  if (timestamp.status > 1n || Number.isNaN(timestamp.signingTime.getTime())) return noToken;
  const signers = signersOf(timestamp, authorities);
  if (signers.length === 0) return unknownAuthority;
  if (!signers.some((signer) => isSignedBy(timestamp, about, signer))) return "it is about something else, or its signature does not hold";
  return nonce && !nonceIn(timestamp).equals(significant(nonce)) ? "it answers another question" : undefined;
}

export const unknownAuthority = "no trusted timestamp authority made it, or not while that authority was trusted";

function isSignedBy(timestamp: RFC3161Timestamp, about: Uint8Array, { publicKey }: X509Certificate): boolean {
  try {
    timestamp.verify(Buffer.from(about), publicKey);
    return true;
  } catch {
    return false;
  }
}

/** The certificates that may have made it: named by issuer and number, for timestamps alone, below a trusted authority where one is known. */
function signersOf(timestamp: RFC3161Timestamp, authorities: readonly TrustedAuthority[] | undefined): readonly X509Certificate[] {
  const named = (certificate: X509Certificate): boolean => {
    const { issuer, serialNumber } = ParsedCertificate.parse(Buffer.from(certificate.raw));
    return timestamp.signerIssuer.equals(issuer) && timestamp.signerSerialNumber.equals(serialNumber);
  };
  const inside = certificatesIn(timestamp).filter(named);
  if (!authorities) return inside;
  const at = timestamp.signingTime;
  return authorities
    .filter(({ validFor }) => isWithin(at, validFor))
    .flatMap(({ certificates }) => {
      const chain = certificates.map((pem) => new X509Certificate(pem));
      return [...chain.filter(named), ...inside].filter((leaf) => isForTimestamps(leaf) && leads(leaf, chain, at));
    });
}

const isForTimestamps = ({ keyUsage }: X509Certificate): boolean => keyUsage?.includes("1.3.6.1.5.5.7.3.8") ?? false;

/** From the leaf to the last certificate of the chain, each good at that time. */
function leads(leaf: X509Certificate, chain: readonly X509Certificate[], at: Date): boolean {
  const root = chain.at(-1);
  let [current, left] = [leaf, chain.length];
  for (; root && left >= 0 && isWithin(at, { start: current.validFrom, end: current.validTo }); left -= 1) {
    if (current.fingerprint256 === root.fingerprint256) return true;
    const issuer = chain.find((other) => other !== current && other.ca && current.checkIssued(other) && current.verify(other.publicKey));
    if (!issuer) return false;
    current = issuer;
  }
  return false;
}

function isWithin(at: Date, { start, end }: { readonly start?: string; readonly end?: string } = {}): boolean {
  return (start === undefined || at.getTime() >= Date.parse(start)) && (end === undefined || at.getTime() <= Date.parse(end));
}

/** RFC 5652 section 5.1: the certificates stand between content and signers, under [0]. */
function certificatesIn({ root }: RFC3161Timestamp): readonly X509Certificate[] {
  const signedData = root.subs[1]?.subs[1]?.subs[0];
  const certificates = signedData?.subs.slice(3).find(({ tag }) => tag.isContextSpecific(0));
  return (certificates?.subs ?? []).map((one: ASN1Obj) => new X509Certificate(one.toDER()));
}

/** The last integer of a TSTInfo, after the time (RFC 3161 section 2.4.2). */
function nonceIn({ tstInfo }: RFC3161Timestamp): Buffer {
  const nonce = tstInfo.root.subs.slice(5).find(({ tag }) => tag.isInteger());
  return significant(nonce?.value ?? Buffer.alloc(0));
}

function significant(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return Buffer.from(start < 0 ? [] : bytes.subarray(start));
}
