import type { KeyPair } from "@countersign/signers-x509";

/** The three files of a signing Secret. */
export type KeyFiles = KeyPair & { readonly "cosign.password": string };

/** The answer to `--output json`. */
export interface KeysMade {
  /** What was written: paths, or k8s://namespace/name. */
  readonly written: readonly string[];
  /** SPKI PEM. */
  readonly publicKey: string;
}
