import { CountersignError, type FoundSignature, type Signature, type SignatureAlgorithm, type Signer } from "@countersign/core";
import { currentKey } from "./key-keeper.ts";
import type { KeySource } from "./key-source.ts";
import type { SigningKey } from "./read-key.ts";
import { madeBy, type Sign, signingWith } from "./signing.ts";

export interface X509Options {
  readonly keys: KeySource;
  /**
   * Default true: the same message gives the same signature (RFC 6979 for EC keys), so a repeated store changes nothing. False
   * signs EC several times faster, and the signer then recognises its earlier signatures.
   */
  readonly deterministic?: boolean;
}

/** Signs with x509.pem or cosign.key. The key is decrypted once per version of its files, off the event loop. */
export function x509Signer({ keys, deterministic = true }: X509Options): Signer {
  const ready = readied(keys, deterministic);
  const signer: Signer = {
    name: "x509",
    async sign(message, { signal }) {
      signal.throwIfAborted();
      const { key, sign } = await ready();
      signal.throwIfAborted();
      const bytes = await sign(message);
      // A computing fault in a deterministic signature gives the key away: what does not verify never leaves.
      if (!madeBy(key, message, bytes))
        throw new CountersignError("sign.faulty", `a signature of ${key.file} does not verify: suspect this machine's memory`, {
          retry: "counted",
        });
      return signatureOf(key, bytes);
    },
  };
  if (deterministic) return signer;
  return {
    ...signer,
    async recognise(message, found, { signal }) {
      signal.throwIfAborted();
      const { key } = await ready();
      const mine = found.find(({ bytes }: FoundSignature) => madeBy(key, message, bytes));
      return mine && signatureOf(key, mine.bytes);
    },
  };
}

export interface KeyDescription {
  readonly file: string;
  readonly algorithm: SignatureAlgorithm;
  /** SPKI PEM. */
  readonly publicKey: string;
  /** What verifiers will stumble over. */
  readonly warning?: string;
}

/** The key that would sign now: for readiness and for people. @throws like sign */
export async function describeKey(keys: KeySource): Promise<KeyDescription> {
  const { file, algorithm, publicKey } = await currentKey(keys);
  const warning = algorithm === "ecdsa-sha256" || algorithm === "rsa-pkcs1-sha256" ? undefined : oddAlgorithm(algorithm);
  return { file, algorithm, publicKey, ...(warning && { warning }) };
}

const oddAlgorithm = (algorithm: SignatureAlgorithm): string =>
  `cosign.key signs with ${algorithm}: \`cosign verify\` needs a flag for it at best, \`cosign verify-attestation\` and Rekor refuse it; prefer a P-256 key`;

/** What signs with a key is made once for that key. */
function readied(keys: KeySource, deterministic: boolean): () => Promise<{ readonly key: SigningKey; readonly sign: Sign }> {
  let last: { readonly key: SigningKey; readonly sign: Sign } | undefined;
  return async () => {
    const key = await currentKey(keys);
    if (last?.key !== key) last = { key, sign: signingWith(key, deterministic) };
    return last;
  };
}

const signatureOf = ({ algorithm, publicKey }: SigningKey, bytes: Uint8Array): Signature => ({ bytes, algorithm, publicKey });
