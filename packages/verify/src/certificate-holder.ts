import { X509Certificate } from "node:crypto";
import { type Core, sigstoreCore } from "./sigstore-library.ts";

/** Whom a certificate names, as Fulcio writes it; to be believed only once its chain is verified. */
export interface CertificateHolder {
  /** Every subject alternative name: e-mail addresses, URIs, DNS names, and the user name of Fulcio's othername. */
  readonly identities: readonly string[];
  /** Of the identity token (1.3.6.1.4.1.57264.1.8, or the older .1.1). */
  readonly issuer?: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
}

const issuerV2 = "1.3.6.1.4.1.57264.1.8";
const issuerV1 = "1.3.6.1.4.1.57264.1.1";
const alternativeNames = "2.5.29.17";
const userName = "1.3.6.1.4.1.57264.1.7";

/** Undefined: it is no certificate in PEM form. */
export function certificateHolder(pem: string): CertificateHolder | undefined {
  try {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    const certificate = sigstoreCore().X509Certificate.parse(pem);
    const issuer = issuerIn(certificate);
    return {
      identities: identitiesIn(certificate),
      ...(issuer !== undefined && { issuer }),
      notBefore: validFromDate.toISOString(),
      notAfter: validToDate.toISOString(),
    };
  } catch {
    return undefined;
  }
}

/** The newer extension holds a UTF8String, the older one bare bytes. */
function issuerIn(certificate: Core.X509Certificate): string | undefined {
  const text = certificate.extension(issuerV2)?.valueObj.subs[0]?.value ?? certificate.extension(issuerV1)?.value;
  return text?.toString("utf8");
}

/** RFC 5280 section 4.2.1.6: [0] otherName, [1] rfc822Name, [2] dNSName, [6] URI. */
function identitiesIn(certificate: Core.X509Certificate): readonly string[] {
  const names = certificate.extension(alternativeNames)?.valueObj.subs[0]?.subs ?? [];
  return names.flatMap((name) => {
    if ([1, 2, 6].some((tag) => name.tag.isContextSpecific(tag))) return [name.value.toString("utf8")];
    const isUser = name.tag.isContextSpecific(0) && name.subs[0]?.toOID() === userName;
    const value = isUser ? name.subs[1]?.subs[0]?.value : undefined;
    return value ? [value.toString("utf8")] : [];
  });
}
