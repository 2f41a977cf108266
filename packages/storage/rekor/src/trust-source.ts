import type { Call } from "@countersign/core";

/**
 * The part of a trust root that is asked for. Undefined: none is configured. `fresh`: somebody met a key that is unknown, a newer root may
 * have it; how often that goes out is the source's affair. Throws CountersignError "config.trust-root", retry "hold".
 */
export type TrustSource<T> = (call: Call & { readonly fresh?: boolean }) => Promise<T | undefined>;
