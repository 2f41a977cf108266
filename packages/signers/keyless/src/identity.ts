import { CountersignError } from "@countersign/core";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { decodeJwt } from "jose/jwt/decode";
import type { IdentityToken } from "./token-source.ts";

/** What a token says, as far as it can be known without its issuer. */
export interface Identity {
  readonly token: string;
  readonly source: string;
  /** Of the signature that proves to Fulcio that the key is ours: the email address, or the subject. */
  readonly challenge: string;
  /** Tells one identity from another; of no meaning otherwise. */
  readonly fingerprint: string;
  /** Milliseconds since 1970; undefined: it does not say. */
  readonly expiresAt: number | undefined;
  readonly forSigstore: boolean;
  readonly fixed: boolean;
}

/** By this much this machine's clock and an issuer's may differ before anything is said. */
export const toleranceMs: number = 5 * 60_000;

/**
 * Every asymmetric algorithm is taken; the token itself is for Fulcio to judge. No error ever carries the token or a claim of it.
 *
 * @throws CountersignError "sign.token-unreadable", "sign.token-unsupported", "sign.identity-unverified" (hold), "sign.token-expired"
 */
export function identityFrom({ token, source, fixed = false }: IdentityToken, now: number): Identity {
  const { header, claims } = decoded(token, source);
  if (!/^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/.test(String(header.alg)))
    throw held(
      "sign.token-unsupported",
      `the identity token from ${source} is not signed with an asymmetric algorithm (RS256, ES256, EdDSA and the like), so no CA can check it: have its issuer sign with a key pair`,
    );
  const { email, email_verified: verified, sub, iss, exp, aud } = claims;
  if (email !== undefined && ![true, "true", "True"].includes(verified as boolean | string))
    throw held(
      "sign.identity-unverified",
      `the identity token from ${source} carries an email address that its provider has not verified, and Fulcio takes no such token: verify the address, or use an identity without one`,
    );
  const challenge = email ?? sub;
  if (typeof challenge !== "string" || challenge === "")
    throw held(
      "sign.token-unsupported",
      `the identity token from ${source} names nobody: it has neither an email nor a sub claim; use another token`,
    );
  const expiresAt = typeof exp === "number" ? exp * 1000 : undefined;
  const identity: Identity = {
    token,
    source,
    challenge,
    fingerprint: JSON.stringify([iss, sub, email]),
    expiresAt,
    forSigstore: [aud].flat().includes("sigstore"),
    fixed,
  };
  if (expiresAt !== undefined && expiresAt + toleranceMs <= now) throw expired(identity, now);
  return identity;
}

/** A token that its source renews is waited for; one that never changes must be replaced by somebody. */
export function expired({ source, expiresAt = 0, fixed }: Identity, now: number): CountersignError {
  const minutes = Math.max(1, Math.round((now - expiresAt) / 60_000));
  const fix = fixed
    ? "put a fresh one there and restart"
    : "check that its source renews it, and this machine's clock; it is asked for again";
  const sentence = `the identity token from ${source} expired ${minutes} min ago by this machine's clock: ${fix}`;
  return new CountersignError("sign.token-expired", sentence, { retry: fixed ? "hold" : "wait" });
}

/** Without a cause: whoever parses a token may quote it. */
function decoded(token: string, source: string): { header: { alg?: unknown }; claims: Readonly<Record<string, unknown>> } {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    throw held(
      "sign.token-unreadable",
      `what ${source} holds is no OIDC identity token (a JSON Web Token of three parts): put a token there`,
    );
  }
}

const held = (code: `sign.${string}`, sentence: string): CountersignError => new CountersignError(code, sentence, { retry: "hold" });
