import { createHash, type KeyObject, sign } from "node:crypto";

/** The key ID of a signed note (https://c2sp.org/signed-note), untruncated. */
export function noteKeyId(name: string, publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: "spki", format: "der" });
  if (publicKey.asymmetricKeyType !== "ed25519") return createHash("sha256").update(spki).digest();
  return createHash("sha256").update(`${name}\n`).update(Buffer.of(1)).update(spki.subarray(-32)).digest();
}

/** A note of that text with one signature. */
export function signedNote(text: string, name: string, { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): string {
  const mark = sign(publicKey.asymmetricKeyType === "ed25519" ? null : "sha256", Buffer.from(text), privateKey);
  return `${text}\n— ${name} ${Buffer.concat([noteKeyId(name, publicKey).subarray(0, 4), mark]).toString("base64")}\n`;
}

/** A log's size and root, signed (https://c2sp.org/tlog-checkpoint). */
export function signedCheckpoint(
  tree: { readonly origin: string; readonly name: string; readonly size: number; readonly root: Uint8Array },
  keys: { publicKey: KeyObject; privateKey: KeyObject },
): string {
  return signedNote(`${tree.origin}\n${tree.size}\n${Buffer.from(tree.root).toString("base64")}\n`, tree.name, keys);
}
