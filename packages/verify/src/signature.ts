import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { FoundSignature, SignatureAlgorithm } from "@countersign/core";
import { ed25519ph } from "@noble/curves/ed25519.js";

type Judge = (key: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean;

const ecdsa =
  (hash: string): Judge =>
  (key, message, signature) =>
    verify(hash, message, { key, dsaEncoding: "der" }, signature);

const judges: Readonly<Record<SignatureAlgorithm, Judge>> = {
  "ecdsa-sha256": ecdsa("sha256"),
  "ecdsa-sha384": ecdsa("sha384"),
  "ecdsa-sha512": ecdsa("sha512"),
  "rsa-pkcs1-sha256": (key, message, signature) => verify("sha256", message, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  "rsa-pss-sha256": (key, message, signature) =>
    verify("sha256", message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }, signature),
  ed25519: (key, message, signature) => verify(null, message, key, signature),
  ed25519ph: (key, message, signature) =>
    ed25519ph.verify(signature, message, Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url")),
};

/**
 * Why this is no signature of one of these keys over the message; undefined when it is. An algorithm that came with the signature
 * narrows what is tried and never widens it.
 */
export function signatureFault(
  { bytes, algorithm }: FoundSignature,
  message: Uint8Array,
  publicKeys: readonly string[],
): string | undefined {
  if (bytes.length === 0) return "the signature is empty";
  if (algorithm !== undefined && !Object.hasOwn(judges, algorithm)) return "the signature names an algorithm that is not known";
  const faults: string[] = [];
  for (const pem of publicKeys) {
    const key = keyFrom(pem);
    const possible = key ? algorithmsOf(key).filter((one) => algorithm === undefined || one === algorithm) : [];
    if (possible.some((one) => isSound(judges[one], key, message, bytes))) return undefined;
    faults.push(keyFault(key, possible));
  }
  if (faults.length === 1) return faults[0];
  return `no trusted key made this signature over this payload (${faults.length} tried)`;
}

function keyFault(key: KeyObject | undefined, possible: readonly SignatureAlgorithm[]): string {
  if (!key) return "the trusted key is no public key in PEM form";
  if (possible.length > 0) return "the trusted key did not make this signature over this payload";
  return algorithmsOf(key).length > 0
    ? "the signature was made with an algorithm that does not fit the trusted key"
    : "the trusted key is of a kind that is not accepted (ECDSA P-224 to P-521, RSA from 2048 bits, Ed25519)";
}

/** What cosign, Tekton Chains and cloud KMS make with such a key. */
function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): readonly SignatureAlgorithm[] {
  const curves: Readonly<Record<string, readonly SignatureAlgorithm[]>> = {
    secp224r1: ["ecdsa-sha256"],
    prime256v1: ["ecdsa-sha256"],
    secp384r1: ["ecdsa-sha256", "ecdsa-sha384"],
    secp521r1: ["ecdsa-sha256", "ecdsa-sha512"],
  };
  if (type === "ec") return (Object.hasOwn(curves, details?.namedCurve ?? "") && curves[details?.namedCurve ?? ""]) || [];
  if (type === "rsa") return (details?.modulusLength ?? 0) >= 2048 ? ["rsa-pkcs1-sha256", "rsa-pss-sha256"] : [];
  return type === "ed25519" ? ["ed25519", "ed25519ph"] : [];
}

function isSound(judge: Judge, key: KeyObject | undefined, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return key !== undefined && judge(key, message, signature);
  } catch {
    return false; // not even of the right form
  }
}

function keyFrom(pem: string): KeyObject | undefined {
  try {
    return pem.includes("-----BEGIN PUBLIC KEY-----") ? createPublicKey(pem) : undefined;
  } catch {
    return undefined;
  }
}
