/** Whom to believe. For now: the holders of some keys. */
export interface TrustMaterial {
  /** SPKI PEM, one key each. Several while a rotation lasts. */
  readonly publicKeys: readonly string[];
}

/**
 * The public keys of a PEM text such as cosign.pub; several blocks are several trusted keys.
 *
 * @throws TypeError when there is none, or when something else is among them; the text is never quoted
 */
export function trustFromPem(text: string): TrustMaterial {
  const types = [...text.matchAll(/-----BEGIN ([^-\r\n]+)-----/g)].map(([, type]) => type);
  const other = types.find((type) => type !== "PUBLIC KEY");
  if (other?.includes("PRIVATE KEY")) throw new TypeError("this is a private key; verifying wants the public one, such as cosign.pub");
  if (other) throw new TypeError(`this holds a "${other}"; verifying wants a "PUBLIC KEY", such as cosign.pub`);
  const publicKeys = text.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? [];
  if (publicKeys.length === 0) throw new TypeError("this holds no public key in PEM form, such as cosign.pub");
  return { publicKeys: publicKeys.map((pem) => `${pem}\n`) };
}
