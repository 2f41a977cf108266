import { X509Certificate } from "node:crypto";

interface Der {
  readonly tag: number;
  readonly value: Buffer;
}

/** The elements of a DER sequence, one after the other. */
function elements(bytes: Buffer): readonly Der[] {
  const found: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = bytes.readUInt8(at + 1);
    const more = short < 0x80 ? 0 : short & 0x7f;
    const length = more === 0 ? short : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    found.push({ tag: bytes.readUInt8(at), value: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** Base 128, the first byte holds two numbers. */
function objectIdentifier(bytes: Buffer): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  return [Math.min(Math.floor(first / 40), 2), first - 40 * Math.min(Math.floor(first / 40), 2), ...rest].join(".");
}

/** Object identifier, whether critical, value in hex. */
function extensionsOf(pem: string): readonly (readonly [string, boolean, string])[] {
  const [whole] = elements(new X509Certificate(pem).raw);
  const [body] = elements(whole?.value ?? Buffer.alloc(0));
  const explicit = elements(body?.value ?? Buffer.alloc(0)).find(({ tag }) => tag === 0xa3);
  const [list] = elements(explicit?.value ?? Buffer.alloc(0));
  return elements(list?.value ?? Buffer.alloc(0)).map(({ value }) => {
    const [id, ...rest] = elements(value);
    return [objectIdentifier(id?.value ?? Buffer.alloc(0)), rest.length === 2, rest.at(-1)?.value.toString("hex") ?? ""] as const;
  });
}

/** Their values are of keys and clocks: identifiers of the subject's and the issuer's key, timestamps of the CT log. */
const ofChance = ["2.5.29.14", "2.5.29.35", "1.3.6.1.4.1.11129.2.4.2"];

/** Everything of a certificate that a verifier reads and that does not depend on chance, to be compared. */
export interface CertificateFacts {
  readonly subject: string;
  readonly minutes: number;
  readonly key: string | undefined;
  readonly subjectAltName: string | undefined;
  readonly extendedKeyUsage: readonly string[];
  /** "2.5.29.37 300a06082b06010505070303", with "critical" between them where it is. */
  readonly extensions: readonly string[];
}

export function certificateFacts(pem: string): CertificateFacts {
  const { validFrom, validTo, subject, keyUsage, subjectAltName, publicKey } = new X509Certificate(pem);
  const extensions = extensionsOf(pem).map(
    ([id, critical, value]) => `${id} ${critical ? "critical " : ""}${ofChance.includes(id) ? "…" : value}`,
  );
  return {
    ...{ subject, subjectAltName, extendedKeyUsage: keyUsage, key: publicKey.asymmetricKeyType },
    minutes: (Date.parse(validTo) - Date.parse(validFrom)) / 60_000,
    extensions: extensions.sort(),
  };
}
