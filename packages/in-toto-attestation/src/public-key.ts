import { createHash, createPublicKey, type KeyObject } from "node:crypto";

/** SSH's name for a curve; there is none for P-224. */
const sshCurves: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

/**
 * The DSSE keyid that cosign and Tekton Chains write: OpenSSH's SHA-256 fingerprint ("SHA256:" and unpadded base64), what
 * `ssh-keygen -l` prints. Verifiers of sigstore bundles accept this keyid or none.
 *
 * @param publicKey SPKI PEM (RSA, ECDSA P-256/P-384/P-521 or Ed25519)
 * @throws TypeError when SSH has no wire form for the key (RFC 4253 section 6.6, RFC 5656, RFC 8709)
 */
export function keyidOf(publicKey: string | KeyObject): string {
  if (publicKey === last?.publicKey) return last.keyid;
  const wire = Buffer.concat(sshParts(keyObjectOf(publicKey)).map(sshString));
  const keyid = `SHA256:${createHash("sha256").update(wire).digest("base64").replace(/=+$/, "")}`;
  if (typeof publicKey === "string") last = { publicKey, keyid };
  return keyid;
}

/** One key signs a thousand envelopes, and parsing its PEM costs a tenth of a signature. */
let last: { readonly publicKey: string; readonly keyid: string } | undefined;

/** The public-key hint of a sigstore bundle: base64 of the SHA-256 over the SPKI DER. */
export function hintOf(publicKey: string | KeyObject): string {
  const spki = keyObjectOf(publicKey).export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("base64");
}

const keyObjectOf = (key: string | KeyObject): KeyObject => (typeof key === "string" ? createPublicKey(key) : key);

function sshParts(key: KeyObject): readonly (string | Buffer)[] {
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "secp224r1") throw noSshForm("ECDSA P-224");
  const { kty, crv = "", x = "", y = "", n = "", e = "" } = key.export({ format: "jwk" });
  const bytes = (text: string): Buffer => Buffer.from(text, "base64url");
  if (kty === "RSA") return ["ssh-rsa", sshInteger(bytes(e)), sshInteger(bytes(n))];
  if (kty === "OKP" && crv === "Ed25519") return ["ssh-ed25519", bytes(x)];
  const curve = Object.hasOwn(sshCurves, crv) ? sshCurves[crv] : undefined;
  if (kty !== "EC" || !curve) throw noSshForm(`${kty} ${crv}`);
  return [`ecdsa-sha2-${curve}`, curve, Buffer.concat([Buffer.of(4), bytes(x), bytes(y)])];
}

const noSshForm = (what: string): TypeError =>
  new TypeError(`SSH has no wire form for a ${what} key, so it has no keyid; use ECDSA P-256, P-384 or P-521, RSA or Ed25519`);

/** An SSH mpint is signed: a leading one bit wants a zero byte before it. */
const sshInteger = (bytes: Buffer): Buffer => ((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);

function sshString(part: string | Buffer): Buffer {
  const bytes = Buffer.from(part as string);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}
