export { rekorStorage } from "./rekor-storage.ts";
export { type RekorOptions, rekorWitness } from "./rekor-witness.ts";
export type { TrustSource } from "./trust-source.ts";
