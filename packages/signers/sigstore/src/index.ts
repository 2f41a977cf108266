export { type FromSigstoreOptions, fromSigstore } from "./from-sigstore.ts";
export type { SigstoreSignature, SigstoreSigner } from "./sigstore-signer.ts";
export { toSigstore } from "./to-sigstore.ts";
