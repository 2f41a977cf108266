export { buildTypes, type SlsaV1Options } from "./options.ts";
export type { Dependency } from "./resolved-dependencies.ts";
export { slsaV1, slsaV1Entries } from "./slsa-v1.ts";
