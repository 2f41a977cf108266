import { sha256 } from "@countersign/bundle";
import type { Found } from "@countersign/core";
import { inTotoPayloadType, preAuthEncoding } from "@countersign/in-toto-attestation";
import { type Claims, claimsOf } from "./claims.ts";
import type { Policy } from "./policy.ts";
import { type Signed, signerReasons } from "./signer.ts";
import type { TrustMaterial } from "./trust.ts";
import { because, type Check, type Reason, type Verdict } from "./verdict.ts";

/**
 * Whether somebody trusted signed this payload, and whether it says what is wanted. Pure: no network, no clock; the same input always
 * gives the same verdict. A statement counts only when the DSSE encoding with the in-toto payload type was signed, a simplesigning
 * document only when the payload's own bytes were.
 */
export function verify(
  found: Found,
  payload: Uint8Array,
  trust: TrustMaterial,
  policy: Policy,
  {
    envelope,
  }: {
    /** As it lay there: in tags, cosign has the whole envelope stamped instead of the signature. */ readonly envelope?: Uint8Array;
  } = {},
): Verdict {
  const claims = claimsOf(payload);
  const stamped = envelope === undefined ? [found.signature.bytes] : [found.signature.bytes, envelope];
  const reasons = [
    ...signedReasons({ found, payload, stamped }, claims, trust, policy),
    ...(claims
      ? policyReasons(claims, policy)
      : [because("predicate", "the payload is neither an in-toto statement nor an image signature")]),
  ];
  return { accepted: reasons.length === 0, reasons };
}

function signedReasons(
  { found, payload, stamped }: Omit<Signed, "message">,
  claims: Claims | undefined,
  trust: TrustMaterial,
  policy: Policy,
): readonly Reason[] {
  const { publicKeys, timedKeys = [] } = trust;
  if (publicKeys.length + timedKeys.length === 0 && !policy.identity)
    return [because("identity", "no key is trusted, so nobody's signature counts")];
  if (payload.length === 0) return [because("signature", "the payload is empty")];
  if (found.digest !== sha256(payload)) return [because("signature", "the signature was found for another payload")];
  const isRaw = claims?.kind === "image-signature" && claims.predicateType === undefined;
  const message = isRaw ? payload : preAuthEncoding(inTotoPayloadType, payload);
  try {
    return signerReasons({ found, payload, message, stamped }, trust, policy);
  } catch {
    // trust roots that were read from text are whole; one that was put together by hand may hold what is no key
    return [because("identity", "nobody can be trusted: a key or certificate of the trust root cannot be read")];
  }
}

/** Each rule a line, with its sentence beside it. */
function policyReasons(claims: Claims, { kind, subject, predicateTypes, builderIds, invocationId }: Policy): readonly Reason[] {
  const { predicateType } = claims;
  const invocation = claims.kind === "provenance" ? claims.invocationId : undefined;
  const builderId = claims.kind === "provenance" ? claims.builderId : undefined;
  // what is of another kind altogether has no predicate type and no builder to be wrong
  const other = kind !== undefined && kind !== claims.kind;
  const rules: readonly (readonly [broken: boolean, check: Check, sentence: () => string])[] = [
    [other, "predicate", () => `this is ${named[claims.kind]}, and ${named[kind ?? claims.kind]} is wanted`],
    [subject !== undefined && !claims.digests.includes(subject), "subject", () => `no subject has the digest ${subject}`],
    [
      invocationId !== undefined && invocation !== undefined && invocation !== invocationId,
      "subject",
      () => `the statement is about run ${invocation}, not about ${invocationId}`,
    ],
    [
      !other && predicateTypes !== undefined && !predicateTypes.includes(predicateType ?? ""),
      "predicate",
      () => `the predicate type is ${predicateType ?? "missing"}, and ${predicateTypes?.join(" or ")} is wanted`,
    ],
    [
      !other && builderIds !== undefined && !builderIds.includes(builderId ?? ""),
      "identity",
      () => `the builder is ${builderId ?? "not named"}, and ${builderIds?.join(" or ")} is wanted`,
    ],
  ];
  return rules.flatMap(([broken, check, sentence]) => (broken ? [because(check, sentence())] : []));
}

const named = { provenance: "an in-toto statement", "image-signature": "an image signature" } as const;
