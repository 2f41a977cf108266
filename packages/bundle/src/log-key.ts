import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";

/** A key made ready once: parsing costs more than verifying. */
export interface LogKey {
  /** sha256 of the SPKI DER. */
  readonly spkiId: Buffer;
  /** The untruncated key ID under a note's name (https://c2sp.org/signed-note). */
  noteId(name: string): Buffer;
  verifies(message: Uint8Array, signature: Uint8Array): boolean;
}

/** @throws where the text is no public key */
export function logKeyFrom(publicKey: string): LogKey {
  const known = ready.get(publicKey);
  if (known) return known;
  const made = logKey(createPublicKey(publicKey));
  if (ready.size >= mostKeys) ready.clear();
  ready.set(publicKey, made);
  return made;
}

/** Logs have few keys; strangers' bundles must not fill the memory. */
const mostKeys = 64;
const ready = new Map<string, LogKey>();

function logKey(key: KeyObject): LogKey {
  const spki = key.export({ type: "spki", format: "der" });
  const spkiId = sha256(spki);
  return { spkiId, noteId: noteIdOf(key, spki, spkiId), verifies: verifierOf(key) };
}

function noteIdOf({ asymmetricKeyType: type }: KeyObject, spki: Buffer, spkiId: Buffer): LogKey["noteId"] {
  const named = (name: string, kind: number, rest: Uint8Array): Buffer =>
    sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(kind), rest]));
  if (type === "ed25519") return (name) => named(name, 0x01, spki.subarray(-32));
  if (type === "rsa") return (name) => named(name, 0xff, Buffer.concat([Buffer.from("PKIX-RSA-PKCS#1v1.5"), spki]));
  return () => spkiId;
}

function verifierOf(key: KeyObject): LogKey["verifies"] {
  if (key.asymmetricKeyType === "ed25519") return (message, signature) => verify(null, message, key, signature);
  // Rekor v1 signs with SHA-256 whatever the curve; v2 takes the curve's own hash. Either one proves the key.
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const hashes = ["sha256", ...(curve === "secp384r1" ? ["sha384"] : curve === "secp521r1" ? ["sha512"] : [])];
  return (message, signature) => hashes.some((algorithm) => verify(algorithm, message, key, signature));
}

const sha256 = (bytes: Uint8Array): Buffer => hash("sha256", bytes, "buffer");
