import { generateKeyPair as generate } from "node:crypto";
import { promisify } from "node:util";
import { sealCosignKey } from "./cosign-key.ts";

export interface KeyPair {
  /** PEM, "ENCRYPTED SIGSTORE PRIVATE KEY". */
  readonly "cosign.key": string;
  /** SPKI PEM. */
  readonly "cosign.pub": string;
}

/** An ECDSA P-256 pair in the two files of `cosign generate-key-pair`. The empty password is legal, and as good as none. */
export async function generateKeyPair(password: string | Uint8Array): Promise<KeyPair> {
  const { privateKey, publicKey } = await promisify(generate)("ec", { namedCurve: "P-256" });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const sealed = await sealCosignKey(der, Buffer.from(password as string));
  der.fill(0);
  return { "cosign.key": sealed, "cosign.pub": publicKey.export({ type: "spki", format: "pem" }).toString() };
}
