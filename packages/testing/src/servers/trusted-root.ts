import { createPublicKey, X509Certificate } from "node:crypto";
import type { PublishedKey } from "./ct-log.ts";

/** A CA or a timestamp authority as trust roots name it. */
export interface PublishedAuthority {
  readonly url: string;
  /** PEM, the issuing CA first, the root last. */
  readonly certificates: readonly string[];
  /** RFC 3339. Default: from the root's first day on. */
  readonly validFor?: { readonly start?: string; readonly end?: string };
}

export interface TrustedRootParts {
  readonly certificateAuthorities?: readonly PublishedAuthority[];
  readonly ctLogs?: readonly PublishedKey[];
  readonly logs?: readonly PublishedKey[];
  readonly timestampAuthorities?: readonly PublishedAuthority[];
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

function keyEntry({ url, keyId, publicKey, validFor = { start: "2020-01-01T00:00:00Z" } }: PublishedKey): object {
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

function authorityEntry({ url, certificates, validFor }: PublishedAuthority): object {
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
