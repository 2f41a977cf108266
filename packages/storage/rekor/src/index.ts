export { rekorStorage } from "./rekor-storage.ts";
export { type RekorOptions, rekorWitness } from "./rekor-witness.ts";
export { type TimestampOptions, timestampWitness } from "./timestamp-witness.ts";
