import { constants, type KeyObject, verify } from "node:crypto";
import type { SignatureAlgorithm } from "@countersign/core";

type Judge = (key: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean;
type Choice = readonly [SignatureAlgorithm, Judge];

const ecdsa =
  (hash: string): Judge =>
  (key, message, signature) =>
    verify(hash, message, { key, dsaEncoding: "der" }, signature);
const sha256: Choice = ["ecdsa-sha256", ecdsa("sha256")];

const byCurve: Readonly<Record<string, readonly Choice[]>> = {
  prime256v1: [sha256],
  secp384r1: [["ecdsa-sha384", ecdsa("sha384")], sha256],
  secp521r1: [["ecdsa-sha512", ecdsa("sha512")], sha256],
};
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
const byType: Readonly<Record<string, readonly Choice[]>> = {
  rsa: [
    ["rsa-pkcs1-sha256", (key, message, signature) => verify("sha256", message, key, signature)],
    ["rsa-pss-sha256", (key, message, signature) => verify("sha256", message, { key, ...pss }, signature)],
  ],
  ed25519: [["ed25519", (key, message, signature) => verify(null, message, key, signature)]],
};

/** A signer of @sigstore/sign does not say how it signs: the algorithm is the one that verifies. Undefined: none does. */
export function algorithmOf(key: KeyObject, message: Uint8Array, signature: Uint8Array): SignatureAlgorithm | undefined {
  const choices = byCurve[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? byType[key.asymmetricKeyType ?? ""] ?? [];
  return choices.find(([, judge]) => judge(key, message, signature))?.[0];
}
