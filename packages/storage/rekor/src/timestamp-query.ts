import { createHash } from "node:crypto";

/** SEQUENCE { OID 2.16.840.1.101.3.4.2.1 (SHA-256), NULL }. */
const sha256Identifier = Buffer.from("300d06096086480165030402010500", "hex");

/** An RFC 3161 query (section 2.4.1) about the SHA-256 of those bytes, with eight bytes of nonce, that asks for the certificate. */
export function timestampQuery(about: Uint8Array, nonce: Uint8Array): Uint8Array {
  const part = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
    const all = Buffer.concat(contents);
    return Buffer.concat([Buffer.of(tag, all.length), all]); // all parts are short
  };
  const digest = createHash("sha256").update(about).digest();
  const imprint = part(0x30, sha256Identifier, part(0x04, digest));
  return part(0x30, part(0x02, Buffer.of(1)), imprint, part(0x02, positive(nonce)), part(0x01, Buffer.of(0xff)));
}

/** As few bytes as keep the number positive: servers refuse one that begins with a needless zero. */
function positive(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const significant = start < 0 ? Buffer.of(0) : bytes.subarray(start);
  return (significant[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), significant]) : significant;
}
