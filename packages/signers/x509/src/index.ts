export { sealCosignKey } from "./cosign-key.ts";
export { directoryKeys } from "./directory-keys.ts";
export { generateKeyPair, type KeyPair } from "./generate-key-pair.ts";
export type { KeyFiles, KeySource } from "./key-source.ts";
export { describeKey, type KeyDescription, type X509Options, x509Signer } from "./x509-signer.ts";
