export { rekorStorage } from "./rekor-storage.ts";
export { type RekorOptions, rekorWitness } from "./rekor-witness.ts";
export { type TimestampOptions, type TrustedAuthority, timestampWitness } from "./timestamp-witness.ts";
export type { TrustSource } from "./trust-source.ts";
