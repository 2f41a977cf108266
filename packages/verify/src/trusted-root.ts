import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { CountersignError, type Period, type TrustedAuthority, type TrustedKey } from "@countersign/core";
import { type Specs, sigstoreSpecs } from "./sigstore-library.ts";
import type { SigstoreTrust } from "./trust.ts";

/**
 * Reads a trusted_root.json (sigstore's protobuf-specs, TrustedRoot). Every key and certificate in it must be readable: half a root would
 * refuse what the whole one accepts.
 *
 * @throws CountersignError "config.trust-root", hold
 */
export function trustedRootFrom(text: string): SigstoreTrust {
  try {
    const value: unknown = JSON.parse(text);
    const { mediaType, tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = sigstoreSpecs().TrustedRoot.fromJSON(value);
    if (!mediaType.startsWith("application/vnd.dev.sigstore.trustedroot")) throw new TypeError("another media type");
    return {
      logs: tlogs.map(keyFrom),
      ctLogs: ctlogs.map(keyFrom),
      certificateAuthorities: certificateAuthorities.map(authorityFrom),
      timestampAuthorities: timestampAuthorities.map(authorityFrom),
    };
  } catch {
    // what the parser says may quote the text, and it is the user's own
    const sentence =
      "this is no trusted root: give a trusted_root.json as `cosign trusted-root create` and sigstore's TUF repository have it";
    throw new CountersignError("config.trust-root", sentence, { retry: "hold" });
  }
}

function keyFrom({ baseUrl, publicKey, logId, checkpointKeyId }: Specs.TransparencyLogInstance): TrustedKey {
  if (!publicKey?.rawBytes) throw new TypeError("a log without a key");
  const key = readKey(publicKey.rawBytes);
  const keyId = (checkpointKeyId ?? logId)?.keyId;
  if (!keyId || keyId.length === 0) throw new TypeError("a log without an id");
  return {
    keyId: keyId.toString("base64"),
    publicKey: key.export({ type: "spki", format: "pem" }).toString(),
    url: baseUrl,
    ...periodFrom(publicKey.validFor),
  };
}

/** Old roots keep RSA keys in PKCS #1, and their key details do not always say so. */
function readKey(key: Buffer): KeyObject {
  try {
    return createPublicKey({ key, format: "der", type: "spki" });
  } catch {
    return createPublicKey({ key, format: "der", type: "pkcs1" });
  }
}

function authorityFrom({ uri, certChain, validFor }: Specs.CertificateAuthority): TrustedAuthority {
  const certificates = (certChain?.certificates ?? []).map(({ rawBytes }) => new X509Certificate(rawBytes).toString());
  if (certificates.length === 0) throw new TypeError("an authority without a certificate");
  return { url: uri, certificates, ...periodFrom(validFor) };
}

function periodFrom(range: Specs.TimeRange | undefined): { readonly validFor?: Period } {
  if (!range) return {};
  const { start, end } = range;
  return { validFor: { ...(start && { start: start.toISOString() }), ...(end && { end: end.toISOString() }) } };
}
