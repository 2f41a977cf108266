import { createPublicKey, X509Certificate } from "node:crypto";
import type { TrustedAuthority, TrustedKey } from "@countersign/core";

/** An authority without a period counts from its root's first day on. */
export interface TrustedRootParts {
  readonly certificateAuthorities?: readonly TrustedAuthority[];
  readonly ctLogs?: readonly TrustedKey[];
  readonly logs?: readonly TrustedKey[];
  readonly timestampAuthorities?: readonly TrustedAuthority[];
}

/** The text of a trusted_root.json, as cosign and sigstore libraries take it. */
export function trustedRoot({ certificateAuthorities = [], ctLogs = [], logs = [], timestampAuthorities = [] }: TrustedRootParts): string {
  return JSON.stringify({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: logs.map(keyEntry),
    certificateAuthorities: certificateAuthorities.map(authorityEntry),
    ctlogs: ctLogs.map(keyEntry),
    timestampAuthorities: timestampAuthorities.map(authorityEntry),
  });
}

function keyEntry({ url, keyId, publicKey, validFor = { start: "2020-01-01T00:00:00Z" } }: TrustedKey): object {
  const key = createPublicKey(publicKey);
  const kinds: Readonly<Record<string, string>> = {
    prime256v1: "PKIX_ECDSA_P256_SHA_256",
    secp384r1: "PKIX_ECDSA_P384_SHA_384",
    ed25519: "PKIX_ED25519",
  };
  const keyDetails = kinds[key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? ""];
  const rawBytes = key.export({ type: "spki", format: "der" }).toString("base64");
  return { baseUrl: url, hashAlgorithm: "SHA2_256", publicKey: { rawBytes, keyDetails, validFor }, logId: { keyId } };
}

function authorityEntry({ url, certificates, validFor }: TrustedAuthority): object {
  const parsed = certificates.map((pem) => new X509Certificate(pem));
  const root = parsed.at(-1);
  const start = root && new Date(root.validFrom).toISOString();
  return {
    subject: { organization: "countersign.test", commonName: "countersign test" },
    uri: url,
    certChain: { certificates: parsed.map(({ raw }) => ({ rawBytes: raw.toString("base64") })) },
    validFor: validFor ?? { start },
  };
}
