import type { Period, TrustedAuthority, TrustedKey } from "@countersign/core";

/** What a trusted_root.json says, as far as verifying needs it. */
export interface SigstoreTrust {
  readonly logs: readonly TrustedKey[];
  readonly ctLogs: readonly TrustedKey[];
  readonly certificateAuthorities: readonly TrustedAuthority[];
  readonly timestampAuthorities: readonly TrustedAuthority[];
}

/** A signer's key that counts only for what was signed, in the eyes of a log or a timestamp authority, within a time. */
export interface TimedKey {
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly validFor: Period;
}

/** Whom to believe: the holders of some keys, and with `sigstore` certificate authorities, logs and timestamp authorities. */
export interface TrustMaterial {
  /** SPKI PEM, one key each. Several while a rotation lasts. */
  readonly publicKeys: readonly string[];
  readonly timedKeys?: readonly TimedKey[];
  readonly sigstore?: SigstoreTrust;
}
