import type { TrustedAuthority } from "@countersign/core";
import { X509Certificate } from "@sigstore/core";
import { covers } from "./trust.ts";

const [begin, end] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"];

/** The certificates of a PEM text, each with its line end, in the order of the text. It is read once, however it was made to look. */
export function pemsIn(text: string): readonly string[] {
  const pems: string[] = [];
  for (let start = text.indexOf(begin); start >= 0; start = text.indexOf(begin, start)) {
    const stop = text.indexOf(end, start);
    if (stop < 0) break;
    pems.push(`${text.slice(start, stop + end.length)}\n`);
    start = stop + end.length;
  }
  return pems;
}

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
