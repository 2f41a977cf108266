import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";

export type Claims = Readonly<Record<string, unknown>>;

/** How an issuer's tokens name people: what of them becomes the certificate's subject. As in the configuration of a real Fulcio. */
export type IssuerType = "email" | "uri" | "spiffe" | "kubernetes" | "github-workflow";

export interface Identity {
  /** What the proof of possession is made over. */
  readonly challenge: string;
  readonly san: { readonly type: "email" | "url"; readonly value: string };
  readonly issuer: string;
  readonly claims: Claims;
}

/** The claims of a token that this issuer made, for the audience, not yet expired. @throws Error with the reason */
export async function claimsOf(token: string, issuers: readonly string[], now: number): Promise<Claims> {
  const [head = "", body = "", mark = "", ...more] = token.split(".");
  if (more.length > 0) throw new Error("no token of three parts");
  const { alg, kid } = json(head);
  const claims = json(body);
  const { iss, aud, exp } = claims;
  if (typeof iss !== "string" || !issuers.includes(iss)) throw new Error("an issuer that is not configured");
  if (![aud].flat().includes("sigstore")) throw new Error("another audience");
  const judge = typeof alg === "string" && Object.hasOwn(judges, alg) ? judges[alg] : undefined;
  const key = judge && (await keysOf(iss)).find((jwk) => jwk["kid"] === kid);
  if (!judge || !key) throw new Error("a key that its issuer does not have");
  const sound = judge(Buffer.from(`${head}.${body}`), createPublicKey({ key, format: "jwk" }), Buffer.from(mark, "base64url"));
  if (!sound) throw new Error("a signature that does not verify");
  if (typeof exp !== "number" || exp * 1000 <= now) throw new Error("expired");
  return claims;
}

export function identityFrom(claims: Claims, type: IssuerType): Identity {
  const issuer = String(claims["iss"]);
  const text = (name: string): string => {
    const value = claims[name];
    if (typeof value !== "string" || value === "") throw new Error(`no claim ${name}`);
    return value;
  };
  if (type === "email") {
    if (claims["email_verified"] !== true && claims["email_verified"] !== "true") throw new Error("an email address that is not verified");
    return { challenge: text("email"), san: { type: "email", value: text("email") }, issuer, claims };
  }
  const urls: Readonly<Record<Exclude<IssuerType, "email">, () => string>> = {
    uri: () => text("sub"),
    spiffe: () => text("sub"),
    kubernetes: () => {
      const { namespace, serviceaccount } = (claims["kubernetes.io"] ?? {}) as { namespace?: string; serviceaccount?: { name?: string } };
      if (!namespace || !serviceaccount?.name) throw new Error("no claim kubernetes.io");
      return `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/${serviceaccount.name}`;
    },
    "github-workflow": () => `https://github.com/${text("job_workflow_ref")}`,
  };
  return { challenge: text("sub"), san: { type: "url", value: urls[type]() }, issuer, claims };
}

async function keysOf(issuer: string): Promise<readonly JsonWebKey[]> {
  const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string };
  const { keys } = (await (await fetch(discovery.jwks_uri)).json()) as { keys: readonly JsonWebKey[] };
  return keys;
}

const json = (segment: string): Claims => JSON.parse(Buffer.from(segment, "base64url").toString());

type Judge = (message: Buffer, key: KeyObject, mark: Buffer) => boolean;
const raw = "ieee-p1363" as const;
const judges: Readonly<Record<string, Judge>> = {
  RS256: (message, key, mark) => verify("sha256", message, key, mark),
  PS256: (message, key, mark) =>
    verify("sha256", message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, mark),
  ES256: (message, key, mark) => verify("sha256", message, { key, dsaEncoding: raw }, mark),
  ES384: (message, key, mark) => verify("sha384", message, { key, dsaEncoding: raw }, mark),
  EdDSA: (message, key, mark) => verify(null, message, key, mark),
};
