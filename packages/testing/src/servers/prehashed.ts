import { hash, type KeyObject, publicDecrypt } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";

export type Sha2 = "sha256" | "sha384" | "sha512";

/** SHA-2's name in PKCS #1: the start of a DigestInfo. */
const digestInfo: Readonly<Record<Sha2, string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

/** A signature over a message of which only the hash is known: logs of hashes verify so, and node:crypto has no such call. */
export function isSignatureOverHash(publicKey: KeyObject, digest: Uint8Array, algorithm: Sha2, signature: Uint8Array): boolean {
  try {
    if (publicKey.asymmetricKeyType === "rsa")
      return publicDecrypt(publicKey, signature).equals(Buffer.concat([Buffer.from(digestInfo[algorithm], "hex"), digest]));
    const { crv, x = "", y = "" } = publicKey.export({ format: "jwk" });
    const [left, right] = [Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
    if (crv === "Ed25519") return algorithm === "sha512" && isEd25519ph(left, digest, signature);
    const curve = { "P-256": p256, "P-384": p384, "P-521": p521 }[crv ?? ""];
    return (
      curve?.verify(signature, digest, Buffer.concat([Buffer.of(4), left, right]), { prehash: false, lowS: false, format: "der" }) ?? false
    );
  } catch {
    return false;
  }
}

/** RFC 8032 section 5.1.7 for Ed25519ph without context. */
function isEd25519ph(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const { BASE, Fn } = ed25519.Point;
  const [first, second] = [signature.subarray(0, 32), signature.subarray(32)];
  const domain = Buffer.concat([Buffer.from("SigEd25519 no Ed25519 collisions"), Buffer.of(1, 0)]);
  const challenge = hash("sha512", Buffer.concat([domain, first, publicKey, digest]), "buffer");
  const right = ed25519.Point.fromBytes(publicKey).multiplyUnsafe(Fn.create(littleEndian(challenge)));
  return BASE.multiplyUnsafe(littleEndian(second)).equals(ed25519.Point.fromBytes(first).add(right));
}

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
