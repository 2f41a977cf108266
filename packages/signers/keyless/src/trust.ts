import type { Call } from "@countersign/core";

/** RFC 3339; an absent end is open. */
export interface Period {
  readonly start?: string;
  readonly end?: string;
}

/** A CT log's key. */
export interface TrustedKey {
  /** sha256 of the key in SPKI DER, base64. */
  readonly keyId: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly url: string;
  readonly validFor?: Period;
}

export interface TrustedAuthority {
  readonly url: string;
  /** PEM, the issuing CA first, the root last. */
  readonly certificates: readonly string[];
  readonly validFor?: Period;
}

/** Whom certificates and their timestamps must come from. */
export interface KeylessTrust {
  readonly certificateAuthorities: readonly TrustedAuthority[];
  /** None: timestamps are not asked for. */
  readonly ctLogs: readonly TrustedKey[];
}

/**
 * undefined: no trust root is configured, nothing is checked against one. fresh: something unknown was met, look for a newer root.
 * Throws CountersignError "config.trust-root", hold.
 */
export type KeylessTrustSource = (call: Call & { readonly fresh?: boolean }) => Promise<KeylessTrust | undefined>;

export function covers({ start, end }: Period = {}, time: Date): boolean {
  return (start === undefined || new Date(start) <= time) && (end === undefined || time <= new Date(end));
}
