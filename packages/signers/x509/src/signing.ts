import { sign, verify } from "node:crypto";
import { promisify } from "node:util";
import { ed25519ph } from "@noble/curves/ed25519.js";
import { deterministicEcdsa } from "./deterministic.ts";
import type { SigningKey } from "./read-key.ts";

export type Sign = (message: Uint8Array) => Promise<Uint8Array>;

const hashOf = { "ecdsa-sha256": "sha256", "ecdsa-sha384": "sha384", "ecdsa-sha512": "sha512", "rsa-pkcs1-sha256": "sha256" } as const;
const signInPool = promisify(sign);

/** The one operation of a key. RSA and Ed25519 are deterministic by themselves. */
export function signingWith({ algorithm, privateKey }: SigningKey, deterministic: boolean): Sign {
  if (algorithm === "ed25519ph") return async (message) => ed25519ph.sign(message, seedOf({ privateKey }));
  const hash = hashOf[algorithm as keyof typeof hashOf];
  if (algorithm === "rsa-pkcs1-sha256") return (message) => signInPool(hash, message, privateKey);
  if (!deterministic) return async (message) => sign(hash, message, privateKey);
  const signed = deterministicEcdsa(privateKey, algorithm);
  return async (message) => signed(message);
}

/** Whether this key made that signature. */
export function madeBy(key: SigningKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.algorithm !== "ed25519ph") return verify(hashOf[key.algorithm as keyof typeof hashOf], message, key.publicKey, signature);
  try {
    return ed25519ph.verify(signature, message, ed25519ph.getPublicKey(seedOf(key)));
  } catch {
    return false; // not 64 bytes
  }
}

const seedOf = ({ privateKey }: Pick<SigningKey, "privateKey">): Uint8Array =>
  Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
