import { createPublicKey } from "node:crypto";
import { CountersignError, type Signature } from "@countersign/core";
import type { Signed } from "./log.ts";

/** What a log checks a signature with: the certificate where there is one, else the key. PEM. */
export const verifierOf = ({ certificate, publicKey }: Signature): string => certificate ?? publicKey;

/** Base64 of the DER inside a PEM: the same for every line length. */
export const derOf = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, "");

/** The hash inside a signature that logs of hashes can check; undefined where the message itself is needed. */
export function hashIn(algorithm: Signature["algorithm"]): "sha256" | "sha384" | "sha512" | undefined {
  const hashes: Partial<Record<Signature["algorithm"], "sha256" | "sha384" | "sha512">> = {
    "ecdsa-sha256": "sha256",
    "ecdsa-sha384": "sha384",
    "ecdsa-sha512": "sha512",
    "rsa-pkcs1-sha256": "sha256",
    ed25519ph: "sha512",
  };
  return hashes[algorithm];
}

/** For sentences: "ecdsa-sha384 (secp384r1)". */
export function keyInWords({ algorithm, publicKey }: Signature): string {
  const { asymmetricKeyDetails: details } = createPublicKey(publicKey);
  const detail = details?.namedCurve ?? (details?.modulusLength && `${details.modulusLength} bit`);
  return detail ? `${algorithm} (${detail})` : algorithm;
}

/** No try will help: the route waits for another key or another configuration. */
export function unsupported({ signature, payload }: Signed, sentence: string): CountersignError {
  return new CountersignError("witness.key-unsupported", `${payload.format} is signed with ${keyInWords(signature)}: ${sentence}`, {
    retry: "hold",
  });
}
