/**
 * The two messages of the SPIFFE Workload API's FetchJWTSVID that are needed, in protobuf's wire format: length-delimited fields only.
 * JWTSVIDRequest { repeated string audience = 1; } JWTSVIDResponse { repeated JWTSVID svids = 1; } JWTSVID { string svid = 2; }
 */
export const requestFor = (audience: string): Uint8Array => field(1, Buffer.from(audience));

/** The first SVID, the one that a workload with several identities uses by default; undefined when there is none. */
export function svidIn(response: Uint8Array): string | undefined {
  const [first] = fieldsOf(response, 1);
  const [svid] = first ? fieldsOf(first, 2) : [];
  return svid && Buffer.from(svid).toString();
}

function field(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint((number << 3) | lengthDelimited), varint(value.length), value]);
}

const lengthDelimited = 2;
/** Bytes that follow a field of a fixed size. */
const fixedSizes: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** @throws RangeError when the message ends too early or holds what protobuf no longer has */
function fieldsOf(message: Uint8Array, wanted: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 1; shift <= 2 ** 28; shift *= 128) {
      const byte = message[at];
      if (byte === undefined) break;
      at += 1;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("the message ends in the middle of a number");
  };
  while (at < message.length) {
    const tag = next();
    const kind = tag & 7;
    if (kind === 0) next();
    else {
      const length = kind === lengthDelimited ? next() : fixedSizes[kind];
      if (length === undefined || at + length > message.length) throw new RangeError("the message ends in the middle of a field");
      if (kind === lengthDelimited && tag >> 3 === wanted) found.push(message.subarray(at, at + length));
      at += length;
    }
  }
  return found;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.of(...bytes, rest);
}
