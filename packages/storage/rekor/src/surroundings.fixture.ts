import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { messageOf } from "@countersign/bundle";
import {
  type Attestation,
  CountersignError,
  type Evidence,
  type Signature,
  type SignatureAlgorithm,
  type TrustedKey,
} from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { anAttestation } from "@countersign/testing";
import { ed25519ph } from "@noble/curves/ed25519.js";

export const call = { signal: new AbortController().signal };

/** The real way out of the process, without pauses between tries. */
export const wire: Http = http({ env: {}, backOffMs: () => 0 });

export type Curve = "P-256" | "P-384" | "P-521" | "rsa" | "ed25519" | "ed25519ph";
const pairs: Readonly<Record<Curve, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>> = {
  "P-256": generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
  "P-521": generateKeyPairSync("ec", { namedCurve: "P-521" }),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ed25519: generateKeyPairSync("ed25519"),
  ed25519ph: generateKeyPairSync("ed25519"),
};
const algorithms: Readonly<Record<Curve, SignatureAlgorithm>> = {
  "P-256": "ecdsa-sha256",
  "P-384": "ecdsa-sha384",
  "P-521": "ecdsa-sha512",
  rsa: "rsa-pkcs1-sha256",
  ed25519: "ed25519",
  ed25519ph: "ed25519ph",
};

/** A statement or an image signature, signed by a key of that kind: each time anew, and with ECDSA each time differently. */
export async function signedBy(
  curve: Curve,
  { about, ...options }: { builder?: string; envelope?: "dsse" | "none"; about?: string } = {},
): Promise<Attestation> {
  const sample = await anAttestation(options);
  // Another subject, where one is given: the sha256 that the statement speaks of.
  const body = Buffer.from(
    Buffer.from(sample.payload.body)
      .toString()
      .replace(/"sha256":"[0-9a-f]+"/, about ? `"sha256":"${about}"` : "$&"),
  );
  const attestation = { ...sample, payload: { ...sample.payload, body } };
  const { privateKey, publicKey } = pairs[curve];
  const message = messageOf(attestation.payload);
  const hash = /sha(256|384|512)/.exec(algorithms[curve])?.[0] ?? null;
  const seed = (): Uint8Array => Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  const signature: Signature = {
    bytes: curve === "ed25519ph" ? ed25519ph.sign(message, seed()) : sign(hash, message, privateKey),
    algorithm: algorithms[curve],
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
  return { ...attestation, signature };
}

export const trusting = (logs: readonly TrustedKey[]) => async (): Promise<{ logs: readonly TrustedKey[] }> => ({ logs });

export function entryIn(word: Evidence): Extract<Evidence, { kind: "log-entry" }>["entry"] {
  if (word.kind !== "log-entry") throw new TypeError("no log entry");
  return word.entry;
}

/** What a promise fails with. */
export async function failureOf(work: Promise<unknown>): Promise<CountersignError> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!CountersignError.is(error)) throw new TypeError(`no CountersignError but ${error}`);
  return error;
}
