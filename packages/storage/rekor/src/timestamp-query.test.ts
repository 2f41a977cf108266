import { ASN1Obj } from "@sigstore/core";
import { expect, test } from "vitest";
import { timestampQuery } from "./timestamp-query.ts";

test.each(["ff00000000000000", "7f00000000000000", "0000000000000080", "0000000000000001", "0000000000000000"])(
  "the nonce %s is the shortest positive integer",
  (hex) => {
    const query = ASN1Obj.parseBuffer(Buffer.from(timestampQuery(Buffer.from("x"), Buffer.from(hex, "hex"))));
    const [, , nonce] = query.subs;
    expect(nonce?.toInteger()).toBe(BigInt(`0x${hex}`));
    const [first = 0, second = 0x80] = nonce?.value ?? [];
    expect(first === 0 && second < 0x80).toBe(false);
  },
);
