import { X509Certificate as NodeCertificate } from "node:crypto";
import type { FoundSignature, Signature, TrustedAuthority } from "@countersign/core";
import type { X509Certificate } from "@sigstore/core";
import { authorityOf, parsed, pemsIn } from "./certificate-chain.ts";
import type { HeldCertificate } from "./held-certificate.ts";

/** What makes a certificate one of ours. */
export interface Ours {
  /** One that Fulcio gave us, run out or not: it says who we are and who vouches for us. */
  readonly mine: HeldCertificate;
  /** Undefined: no trust root, our own certificate's chain decides. */
  readonly authorities: readonly TrustedAuthority[] | undefined;
  readonly witnessed: boolean;
  readonly now: number;
  /** What a certificate that no witness saw must still last, so that one has time to see it. */
  readonly spareMs: number;
}

/** A signature that verified under its certificate: is that certificate for us, from our CA, and was or is it good? */
export function recognised(found: FoundSignature, ours: Ours): Signature | undefined {
  const { mine, authorities = [{ url: "", certificates: pemsIn(mine.chain) }] } = ours;
  const leaf = parsed(found.certificate ?? "");
  const authority = safely(() => authorityOf(leaf, authorities));
  if (!authority || !sameHolder(leaf, mine.parsed) || !isTimely(leaf, found, ours)) return undefined;
  const certificate = new NodeCertificate(found.certificate ?? "");
  return {
    bytes: found.bytes,
    algorithm: "ecdsa-sha256",
    publicKey: certificate.publicKey.export({ type: "spki", format: "pem" }).toString(),
    certificate: `${certificate}`,
    // A bundle keeps the certificate alone.
    chain: found.chain || (issuedLike(leaf, mine) ? mine.chain : authority.certificates.join("")),
  };
}

function isTimely({ notBefore, notAfter }: X509Certificate, { seenAt }: FoundSignature, { witnessed, now, spareMs }: Ours): boolean {
  if (seenAt !== undefined) return notBefore.getTime() <= seenAt * 1000 && seenAt * 1000 <= notAfter.getTime();
  return !witnessed || now < notAfter.getTime() - spareMs;
}

/** Fulcio's issuer extensions: .8 is a UTF8String, .1 the bare text of older ones. */
const issuerOids = ["1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1"];

function sameHolder(one: X509Certificate, other: X509Certificate): boolean {
  const name = one.extSubjectAltName?.value;
  const issuer = issuerOf(one);
  return name !== undefined && issuer !== undefined && !!other.extSubjectAltName?.value.equals(name) && issuerOf(other) === issuer;
}

function issuerOf(certificate: X509Certificate): string | undefined {
  const [current, older] = issuerOids.map((oid) => certificate.extension(oid));
  return (current?.valueObj.subs[0]?.value ?? older?.value)?.toString();
}

function issuedLike(leaf: X509Certificate, { chain }: HeldCertificate): boolean {
  const [issuer] = pemsIn(chain);
  return issuer !== undefined && leaf.verify(parsed(issuer));
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
