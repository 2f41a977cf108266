import fc from "fast-check";
import { expect, test } from "vitest";
import { requestFor, svidIn } from "./workload-message.ts";

/** Written by another rule than the code under test: seven bits at a time, as text of binary digits. */
function number(value: number): Buffer {
  const digits = value.toString(2);
  const groups: number[] = [];
  for (let end = digits.length; end > 0; end -= 7) groups.push(Number.parseInt(digits.slice(Math.max(0, end - 7), end), 2));
  return Buffer.from(groups.map((group, index) => (index < groups.length - 1 ? 128 + group : group)));
}
const text = (field: number, value: Uint8Array): Buffer => Buffer.concat([number(field * 8 + 2), number(value.length), value]);

test("an audience, as protobuf writes it", () => {
  expect(Buffer.from(requestFor("sigstore")).toString("hex")).toBe(`0a08${Buffer.from("sigstore").toString("hex")}`);
  expect(Buffer.from(requestFor("a".repeat(300)))).toEqual(text(1, Buffer.from("a".repeat(300))));
});

test("the first token, whatever its length and whatever stands around it", () => {
  const others = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.concat([number(5 * 8), number(2 ** 28)]),
    Buffer.concat([number(6 * 8 + 1), Buffer.alloc(8)]),
    Buffer.concat([number(7 * 8 + 5), Buffer.alloc(4)]),
    text(3000, Buffer.from("hint")),
  );
  const token = fc.string({ minLength: 1, maxLength: 40_000, unit: fc.constantFrom(..."eyJ.-_09") });
  fc.assert(
    fc.property(token, others, others, (first, before, after) => {
      const svid = (value: string): Buffer =>
        text(1, Buffer.concat([text(1, Buffer.from("spiffe://x/y")), before, text(2, Buffer.from(value)), after]));
      expect(svidIn(Buffer.concat([before, svid(first), svid("second"), after]))).toBe(first);
    }),
    { numRuns: 100 },
  );
});

test("no bytes make it do anything but answer or say that the message ends too early", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        const found = svidIn(bytes);
        expect(found === undefined || typeof found === "string").toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 2_000 },
  );
});
