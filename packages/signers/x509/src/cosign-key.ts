import { randomBytes, scrypt } from "node:crypto";
import { CountersignError } from "@countersign/core";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { type PemBlock, pemText } from "./pem.ts";

/** The PEM types that cosign has written so far. */
const pemTypes = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];
/** What cosign accepts; other strengths are refused, above all greater ones. */
const strengths = [32_768, 65_536, 131_072];

interface Sealed {
  readonly n: number;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * The PKCS#8 DER inside an encrypted cosign key: scrypt, then NaCl secretbox. The password is taken as it is, white space included.
 *
 * @throws CountersignError "sign.key-unreadable", "sign.key-unsupported" or "sign.password-wrong", retry "hold"
 */
export async function openCosignKey({ type, bytes }: PemBlock, password: Uint8Array, file: string): Promise<Buffer> {
  if (!pemTypes.includes(type))
    throw refused(
      "sign.key-unsupported",
      `${file} holds a "${type}", not an encrypted cosign key: make one with \`countersign keys generate\``,
    );
  const { n, salt, nonce, ciphertext } = sealedFrom(bytes, file);
  const key = await derived(password, salt, n);
  try {
    return Buffer.from(xsalsa20poly1305(key, nonce).decrypt(ciphertext));
  } catch {
    throw refused("sign.password-wrong", `${file} does not open with cosign.password${newlineHint(password)}`);
  } finally {
    key.fill(0);
  }
}

/** The other way round; the default is the strength that cosign 2 and 3 write. */
export async function sealCosignKey(pkcs8: Uint8Array, password: Uint8Array, n = 65_536): Promise<string> {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const key = await derived(password, salt, n);
  const ciphertext = xsalsa20poly1305(key, nonce).encrypt(pkcs8);
  key.fill(0);
  const sealed = {
    kdf: { name: "scrypt", params: { N: n, r: 8, p: 1 }, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(ciphertext).toString("base64"),
  };
  return pemText({ type: "ENCRYPTED SIGSTORE PRIVATE KEY", bytes: Buffer.from(JSON.stringify(sealed)) });
}

function sealedFrom(bytes: Uint8Array, file: string): Sealed {
  const { kdf, cipher, ciphertext } = objectFrom(bytes, file);
  const { name, params, salt } = asObject(kdf);
  const { N, r, p } = asObject(params);
  if (name !== "scrypt" || asObject(cipher)["name"] !== "nacl/secretbox")
    throw refused("sign.key-unsupported", `${file} is not sealed with scrypt and nacl/secretbox, as cosign does it: make the key anew`);
  const n = strengths.find((strength) => strength === N);
  if (!n || r !== 8 || p !== 1)
    throw refused(
      "sign.key-unsupported",
      `${file} names scrypt parameters that cosign does not accept (N is one of ${strengths.join(", ")}; r 8; p 1)`,
    );
  const sealed = { n, salt: base64(salt), nonce: base64(asObject(cipher)["nonce"]), ciphertext: base64(ciphertext) };
  if (sealed.nonce.length === 24 && sealed.salt.length > 0 && sealed.ciphertext.length > 16) return sealed;
  throw refused("sign.key-unreadable", `${file} is cut short or damaged: salt, nonce or ciphertext is missing; copy it anew`);
}

/** Without a cause: JSON.parse quotes what it was given. */
function objectFrom(bytes: Uint8Array, file: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    throw refused("sign.key-unreadable", `${file} is damaged: there is no JSON inside its PEM block; copy it anew`);
  }
}

/** Off the event loop; scrypt wants 128·N·r bytes, which is more than Node grants unasked. */
function derived(password: Uint8Array, salt: Uint8Array, N: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, { N, r: 8, p: 1, maxmem: 256 * N * 8 }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function newlineHint(password: Uint8Array): string {
  if (password.at(-1) === 0x0a)
    return ": that file ends with a newline, which counts as part of the password; write it with `printf %s`, not `echo`";
  return ": the password is another one, or the key file is damaged; put the password in exactly, without a newline at its end";
}

const refused = (code: `sign.${string}`, sentence: string): CountersignError => new CountersignError(code, sentence, { retry: "hold" });
const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const base64 = (value: unknown): Uint8Array => Buffer.from(typeof value === "string" ? value : "", "base64");
