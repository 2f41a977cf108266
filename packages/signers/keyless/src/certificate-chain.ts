import { X509Certificate } from "@sigstore/core";
import { covers, type TrustedAuthority } from "./trust.ts";

/** The certificates of a PEM text, each with its line end, in the order of the text. */
export const pemsIn = (text: string): readonly string[] =>
  (text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((pem) => `${pem}\n`);

/** @throws Error when it is none */
export const parsed = (pem: string): X509Certificate => X509Certificate.parse(pem);

/** Whether each of these certificates is signed by the next, all but the first are CAs, and the days of all cover the time. */
export function isChain(certificates: readonly X509Certificate[], time: Date): boolean {
  return certificates.every((certificate, index) => {
    const issuer = certificates[index + 1];
    if (!certificate.validForDate(time) || (index > 0 && !certificate.isCA)) return false;
    return issuer === undefined || (certificate.issuer.equals(issuer.subject) && certificate.verify(issuer));
  });
}

/** The authority that issued this certificate, while it was trusted; its own chain must hold together too. */
export function authorityOf(leaf: X509Certificate, authorities: readonly TrustedAuthority[]): TrustedAuthority | undefined {
  const time = leaf.notBefore;
  return authorities.find(
    ({ certificates, validFor }) => certificates.length > 0 && covers(validFor, time) && isChain([leaf, ...certificates.map(parsed)], time),
  );
}
