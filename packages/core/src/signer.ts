import type { Call } from "./call.ts";

export type SignatureAlgorithm =
  | "ecdsa-sha256"
  | "ecdsa-sha384"
  | "ecdsa-sha512"
  | "rsa-pkcs1-sha256"
  | "rsa-pss-sha256"
  | "ed25519"
  | "ed25519ph";

/** keyid and hint are pure functions of the public key and live beside the DSSE envelope. */
export interface Signature {
  /** ECDSA: ASN.1 DER SEQUENCE{r,s}. RSA and Ed25519: the raw signature. */
  readonly bytes: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** SPKI PEM, always. */
  readonly publicKey: string;
  /** PEM, when a CA vouched for the key. */
  readonly certificate?: string;
  /** PEMs, as the CA sent them. */
  readonly chain?: string;
}

/** A signature as far as the place that kept it kept its facts. */
export interface FoundSignature extends Partial<Signature> {
  readonly bytes: Uint8Array;
  /** When a witness saw it, in seconds since 1970; undefined when none did. A certificate that has run out since is none the worse for it. */
  readonly seenAt?: number;
}

export interface Signer {
  readonly name: string;
  /** Throws CountersignError "sign.…": retry "hold" when key or configuration must change first, "wait" for an outage. */
  sign(message: Uint8Array, call: Call): Promise<Signature>;
  /** Only where signing twice gives two signatures (random nonce, Fulcio, KMS): the one of `found` that sign() could have made now. */
  recognise?(message: Uint8Array, found: readonly FoundSignature[], call: Call): Promise<Signature | undefined>;
}
