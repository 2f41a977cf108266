export { type IdentityTokensOptions, identityTokens } from "./identity-tokens.ts";
export { type KeylessOptions, keylessSigner } from "./keyless-signer.ts";
export { projectedTokenFile } from "./providers/file.ts";
export type { IdentityToken, TokenSource } from "./token-source.ts";
export type { KeylessTrust, KeylessTrustSource } from "./trust.ts";
