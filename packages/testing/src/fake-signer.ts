import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import type { Call, FoundSignature, Signature, Signer } from "@countersign/core";

export interface FakeSignerOptions {
  readonly name?: string;
  /** "repeats": Ed25519, the same message gives the same signature. "varies": ECDSA with a random nonce, which recognises its own. Default "repeats". */
  readonly nature?: "repeats" | "varies";
}

export interface FakeSigner extends Signer {
  /** SPKI PEM. */
  readonly publicKey: string;
  /** How often it signed. */
  readonly signed: number;
  /** What sign throws from now on; undefined: it signs. */
  fails: Error | undefined;
}

/** A key of its own and real signatures. */
export function fakeSigner({ name = "fake", nature = "repeats" }: FakeSignerOptions = {}): FakeSigner {
  const repeats = nature === "repeats";
  const key: KeyObject = repeats
    ? generateKeyPairSync("ed25519").privateKey
    : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  const hash = repeats ? null : "sha256";
  const made = (bytes: Uint8Array): Signature => ({ bytes, algorithm: repeats ? "ed25519" : "ecdsa-sha256", publicKey });
  let signed = 0;
  const signer: FakeSigner = {
    name,
    publicKey,
    fails: undefined,
    get signed() {
      return signed;
    },
    async sign(message, { signal }) {
      signal.throwIfAborted();
      if (signer.fails) throw signer.fails;
      signed += 1;
      return made(sign(hash, message, key));
    },
  };
  if (repeats) return signer;
  return Object.assign(signer, {
    async recognise(message: Uint8Array, found: readonly FoundSignature[], { signal }: Call): Promise<Signature | undefined> {
      signal.throwIfAborted();
      const mine = found.find(({ bytes }) => verify(hash, message, publicKey, bytes));
      return mine && made(mine.bytes);
    },
  });
}
