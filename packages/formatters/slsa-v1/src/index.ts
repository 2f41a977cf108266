export type { Dependency } from "./resolved-dependencies.ts";
export { buildTypes, type SlsaV1Options, slsaV1, slsaV1Entries } from "./slsa-v1.ts";
