export { type SlsaV02Options, slsaV02, slsaV02Entries } from "./slsa-v0.2.ts";
