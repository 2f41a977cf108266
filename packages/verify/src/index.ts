export { type Claims, claimsOf, type ImageClaims, type StatementClaims } from "./claims.ts";
export type { Policy } from "./policy.ts";
export { type TrustMaterial, trustFromPem } from "./trust.ts";
export type { Check, Reason, Verdict } from "./verdict.ts";
export { verify } from "./verify.ts";
