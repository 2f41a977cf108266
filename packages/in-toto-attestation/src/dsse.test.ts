import fc from "fast-check";
import { expect, test } from "vitest";
import { envelopeText, parseEnvelope, preAuthEncoding } from "./dsse.ts";

test("the encoding of the DSSE protocol document", () => {
  const encoded = preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world"));
  expect(Buffer.from(encoded).toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
});

test("lengths count bytes, not characters", () => {
  expect(Buffer.from(preAuthEncoding("ü", Buffer.from("€"))).toString()).toBe("DSSEv1 2 ü 3 €");
});

test("different inputs never share an encoding", () => {
  const input = fc.tuple(fc.string(), fc.uint8Array());
  fc.assert(
    fc.property(input, input, ([typeA, a], [typeB, b]) => {
      const same = typeA === typeB && Buffer.compare(a, b) === 0;
      expect(Buffer.compare(preAuthEncoding(typeA, a), preAuthEncoding(typeB, b)) === 0).toBe(same);
    }),
  );
});

test("an envelope reads back", () => {
  const text = envelopeText("t", Buffer.from("{}"), { keyid: "k", bytes: Buffer.of(255) });
  expect(text).toBe('{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"k","sig":"/w=="}]}');
  expect(parseEnvelope(text)).toEqual({ payloadType: "t", payload: "e30=", signatures: [{ keyid: "k", sig: "/w==" }] });
});

test.each([
  ["", "not JSON"],
  ["[]", "not a JSON object"],
  ["{}", "no payloadType"],
  ['{"payloadType":"t","payload":"*"}', "not base64"],
  ['{"payloadType":"t","payload":""}', "no signature"],
  ['{"payloadType":"t","payload":"","signatures":[null]}', "signature of the DSSE envelope is not base64"],
])("%s is refused: %s", (text, why) => {
  expect(() => parseEnvelope(text)).toThrow(why);
});
