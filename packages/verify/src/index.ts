export { type CertificateHolder, certificateHolder } from "./certificate-holder.ts";
export { type Claims, claimsOf, type ImageClaims, type StatementClaims } from "./claims.ts";
export type { IdentityPolicy, Policy } from "./policy.ts";
export type { Period, SigstoreTrust, TimedKey, TrustedAuthority, TrustedKey, TrustMaterial } from "./trust.ts";
export { trustedAuthorityFromPem, trustedKeysFromPem, trustFromPem } from "./trust-from-pem.ts";
export { trustedRootFrom } from "./trusted-root.ts";
export type { Check, Reason, Verdict } from "./verdict.ts";
export { verify } from "./verify.ts";
