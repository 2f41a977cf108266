import type { Call } from "./call.ts";

/** When a key or an authority counts: RFC 3339, both ends included; an absent end is open. */
export interface Period {
  readonly start?: string;
  readonly end?: string;
}

/** The key of a transparency log, of Rekor's kind or of certificate transparency's, as a trust root hands it out. */
export interface TrustedKey {
  /** Base64: sha256 of the SPKI DER, or the untruncated key ID of the signed-note format (Rekor v2). */
  readonly keyId: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly url: string;
  readonly validFor?: Period;
}

/** A certificate or timestamp authority, as a trust root hands it out. */
export interface TrustedAuthority {
  readonly url: string;
  /** PEM, the issuing certificate first, the root last. */
  readonly certificates: readonly string[];
  readonly validFor?: Period;
}

/**
 * The part of a trust root that somebody asks for. Undefined: none is configured. fresh: a key was met that is unknown, a newer root may
 * have it; how often that goes out is the source's affair. Throws CountersignError "config.trust-root": hold for a root that cannot be
 * used, wait for a mirror that does not answer.
 */
export type TrustSource<T> = (call: Call & { readonly fresh?: boolean }) => Promise<T | undefined>;
