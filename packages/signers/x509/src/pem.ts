export interface PemBlock {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The first PEM block of a file, text around it skipped; undefined when there is none. */
export function firstPemBlock(file: Uint8Array): PemBlock | undefined {
  const match = /-----BEGIN ([^\r\n]*?)-----[ \t]*\r?\n([^-]*?)-----END \1-----/.exec(Buffer.from(file).toString("latin1"));
  const [, type, body] = match ?? [];
  if (type === undefined || body === undefined || !/^[A-Za-z0-9+/=\s]*$/.test(body)) return undefined;
  return { type, bytes: Buffer.from(body, "base64") };
}

export function pemText({ type, bytes }: PemBlock): string {
  const lines = Buffer.from(bytes)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${type}-----\n${lines}\n-----END ${type}-----\n`;
}
