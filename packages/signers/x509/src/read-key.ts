import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { CountersignError, type SignatureAlgorithm } from "@countersign/core";
import { openCosignKey } from "./cosign-key.ts";
import type { KeyFiles } from "./key-source.ts";
import { firstPemBlock } from "./pem.ts";

export interface SigningKey {
  readonly file: "x509.pem" | "cosign.key";
  readonly algorithm: SignatureAlgorithm;
  readonly privateKey: KeyObject;
  /** SPKI PEM. */
  readonly publicKey: string;
}

/**
 * The key that signs. x509.pem wins when it is there, whatever it holds: a broken one is an error, never a reason to take another key.
 *
 * @throws CountersignError "sign.key-missing", "sign.key-unreadable", "sign.key-unsupported" or "sign.password-wrong", retry "hold"
 */
export async function readKey(files: KeyFiles["files"], place: string): Promise<SigningKey> {
  const { "x509.pem": x509, "cosign.key": cosign, "cosign.password": password } = files;
  if (x509) return x509Key(x509, `${place}/x509.pem`);
  if (!cosign)
    throw refused(
      "sign.key-missing",
      `there is no signing key in ${place}: neither x509.pem nor cosign.key is there and readable; make one with \`countersign keys generate\``,
    );
  if (!password)
    throw refused(
      "sign.key-missing",
      `${place}/cosign.password is not there or not readable: add it, empty when cosign.key has no password`,
    );
  return cosignKey(cosign, password, `${place}/cosign.key`);
}

/** An unencrypted PKCS#8 EC key. It signs over SHA-256 whatever its curve. */
function x509Key(bytes: Uint8Array, file: string): SigningKey {
  const block = firstPemBlock(bytes);
  if (!block) throw refused("sign.key-unreadable", `${file} holds no PEM block: put a PKCS#8 EC private key there`);
  if (block.type !== "PRIVATE KEY")
    throw refused("sign.key-unsupported", `${file} holds a "${block.type}", not a "PRIVATE KEY"; ${pkcs8Hint}`);
  const privateKey = privateKeyFrom(block.bytes, file);
  if (privateKey.asymmetricKeyType !== "ec" || !curveOf(privateKey))
    throw refused(
      "sign.key-unsupported",
      `${file} holds a key of type ${nameOf(privateKey)}; x509.pem takes ECDSA keys only, cosign.key takes RSA and Ed25519 too`,
    );
  return { file: "x509.pem", algorithm: "ecdsa-sha256", privateKey, publicKey: publicPem(privateKey) };
}

async function cosignKey(bytes: Uint8Array, password: Uint8Array, file: string): Promise<SigningKey> {
  const block = firstPemBlock(bytes);
  if (!block)
    throw refused("sign.key-unreadable", `${file} holds no PEM block: copy it anew, or make one with \`countersign keys generate\``);
  const der = await openCosignKey(block, password, file);
  const privateKey = privateKeyFrom(der, file);
  der.fill(0);
  const algorithm = cosignAlgorithm(privateKey);
  if (!algorithm)
    throw refused(
      "sign.key-unsupported",
      `${file} holds a key of type ${nameOf(privateKey)}; it takes ECDSA P-256, P-384 and P-521, RSA 2048, 3072 and 4096, and Ed25519`,
    );
  return { file: "cosign.key", algorithm, privateKey, publicKey: publicPem(privateKey) };
}

/** cosign's own choice: an EC key's hash follows its curve, Ed25519 is the prehashed variant. */
function cosignAlgorithm(key: KeyObject): SignatureAlgorithm | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519") return "ed25519ph";
  if (type === "rsa") return [2048, 3072, 4096].includes(details?.modulusLength ?? 0) ? "rsa-pkcs1-sha256" : undefined;
  const hashes: Readonly<Record<string, SignatureAlgorithm>> = {
    "P-256": "ecdsa-sha256",
    "P-384": "ecdsa-sha384",
    "P-521": "ecdsa-sha512",
  };
  return type === "ec" ? hashes[curveOf(key) ?? ""] : undefined;
}

/** NIST's name for an EC key's curve; undefined for other curves. */
export function curveOf(key: KeyObject): "P-224" | "P-256" | "P-384" | "P-521" | undefined {
  const names = { secp224r1: "P-224", prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" } as const;
  const name = key.asymmetricKeyDetails?.namedCurve ?? "";
  return Object.hasOwn(names, name) ? names[name as keyof typeof names] : undefined;
}

function privateKeyFrom(der: Uint8Array, file: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  } catch {
    throw refused("sign.key-unreadable", `${file} holds something that is no PKCS#8 private key: ${pkcs8Hint}`);
  }
}

function nameOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  return [type, details?.namedCurve, details?.modulusLength].filter(Boolean).join(" ");
}

const pkcs8Hint = "convert an EC key with `openssl pkcs8 -topk8 -nocrypt -in key.pem -out x509.pem`";
const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
const refused = (code: `sign.${string}`, sentence: string): CountersignError => new CountersignError(code, sentence, { retry: "hold" });
