/** ASN.1's distinguished encoding (X.690), as far as tokens need it: each part is the bytes of its contents with a tag and a length. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(contents);
  if (all.length < 0x80) return Buffer.concat([Buffer.of(tag, all.length), all]);
  const hex = all.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, all]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
/** Members in the order of their bytes, as DER demands. */
export const setOf = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...[...parts].sort(Buffer.compare));
export const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const nothing = (): Buffer => der(0x05);
/** [n] around or instead of a tag. */
export const tagged = (n: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 | n, ...parts);

/** Big-endian bytes of a number that is not negative. */
export function integer(bytes: Uint8Array): Buffer {
  const significant = Buffer.from(bytes);
  const start = Math.max(
    0,
    Math.min(
      significant.findIndex((byte) => byte !== 0),
      significant.length - 1,
    ),
  );
  const trimmed = significant.subarray(start);
  return der(0x02, (trimmed[0] ?? 0) & 0x80 ? Buffer.of(0) : Buffer.alloc(0), trimmed);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const seven = (value: number): readonly number[] => (value < 0x80 ? [value] : [...seven(Math.floor(value / 0x80)), value % 0x80]);
  const bytes = [first * 40 + second, ...rest].flatMap((value) => {
    const groups = seven(value);
    return groups.map((group, at) => (at < groups.length - 1 ? group | 0x80 : group));
  });
  return der(0x06, Buffer.from(bytes));
}

/** Whole seconds. */
export function generalizedTime(at: Date): Buffer {
  return der(0x18, Buffer.from(at.toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
}

export function utcTime(at: Date): Buffer {
  return der(
    0x17,
    Buffer.from(
      at
        .toISOString()
        .slice(2)
        .replaceAll(/[-:T]|\.\d+/g, ""),
    ),
  );
}
