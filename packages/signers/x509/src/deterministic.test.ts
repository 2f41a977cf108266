import { createPrivateKey, type KeyObject } from "node:crypto";
import type { SignatureAlgorithm } from "@countersign/core";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { expect, test } from "vitest";
import { deterministicEcdsa } from "./deterministic.ts";

const curves = { "P-256": p256, "P-384": p384, "P-521": p521 };
type Curve = keyof typeof curves;
const secrets: Readonly<Record<Curve, string>> = {
  "P-256": "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
  "P-384": "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
  "P-521":
    "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
};

function keyOf(curve: Curve): KeyObject {
  const secret = Buffer.from(secrets[curve], "hex");
  const point = Buffer.from(curves[curve].getPublicKey(secret, false)).subarray(1);
  const [x, y] = [point.subarray(0, point.length / 2), point.subarray(point.length / 2)];
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  return createPrivateKey({ key: { kty: "EC", crv: curve, d: text(secret), x: text(x), y: text(y) }, format: "jwk" });
}

/** RFC 6979, A.2.5 to A.2.7. */
const vectors: readonly (readonly [Curve, SignatureAlgorithm, string, string, string])[] = [
  [
    "P-256",
    "ecdsa-sha256",
    "sample",
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
  ],
  [
    "P-256",
    "ecdsa-sha256",
    "test",
    "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
  ],
  [
    "P-384",
    "ecdsa-sha256",
    "sample",
    "21B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33BDE1E888E63355D92FA2B3C36D8FB2CD",
    "F3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEBEFDC63ECCD1AC42EC0CB8668A4FA0AB0",
  ],
  [
    "P-384",
    "ecdsa-sha384",
    "sample",
    "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
  ],
  [
    "P-521",
    "ecdsa-sha256",
    "sample",
    "01511BB4D675114FE266FC4372B87682BAECC01D3CC62CF2303C92B3526012659D16876E25C7C1E57648F23B73564D67F61C6F14D527D54972810421E7D87589E1A7",
    "004A171143A83163D6DF460AAF61522695F207A58B95C0644D87E52AA1A347916E4F7A72930B1BC06DBE22CE3F58264AFD23704CBB63B29B931F7DE6C9D949A7ECFC",
  ],
  [
    "P-521",
    "ecdsa-sha512",
    "sample",
    "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
    "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
  ],
];

test.each(vectors)("RFC 6979: %s %s %j", (curve, algorithm, message, r, s) => {
  const der = deterministicEcdsa(keyOf(curve), algorithm)(Buffer.from(message));
  const signature = curves[curve].Signature.fromBytes(der, "der");
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(r.length, "0");
  expect([hex(signature.r), hex(signature.s)]).toEqual([r, s]);
});

test("other algorithms are a bug of the caller", () => {
  expect(() => deterministicEcdsa(keyOf("P-256"), "ed25519ph")).toThrow(TypeError);
});
