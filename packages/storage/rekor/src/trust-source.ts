import type { Period } from "@countersign/bundle";
import type { Call } from "@countersign/core";

/** As a trust root hands it out. */
export interface TrustedAuthority {
  readonly url: string;
  /** PEM, the authority's own certificate or its CA first, the root last. */
  readonly certificates: readonly string[];
  readonly validFor?: Period;
}

/**
 * The part of a trust root that is asked for. Undefined: none is configured. `fresh`: somebody met a key that is unknown, a newer root may
 * have it; how often that goes out is the source's affair. Throws CountersignError "config.trust-root", retry "hold".
 */
export type TrustSource<T> = (call: Call & { readonly fresh?: boolean }) => Promise<T | undefined>;
