import type { KeyObject } from "node:crypto";
import type { SignatureAlgorithm } from "@countersign/core";
import { type ECDSA, ecdsa, weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { curveOf } from "./read-key.ts";

/** FIPS 186-4, D.1.2.2: not among noble's curves, but an x509.pem may hold it. */
const p224Point = weierstrass({
  p: 0xffffffffffffffffffffffffffffffff000000000000000000000001n,
  n: 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn,
  h: 1n,
  a: 0xfffffffffffffffffffffffffffffffefffffffffffffffffffffffen,
  b: 0xb4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4n,
  Gx: 0xb70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21n,
  Gy: 0xbd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34n,
});
const points = { "P-224": p224Point, "P-256": p256.Point, "P-384": p384.Point, "P-521": p521.Point };
const hashes = { "ecdsa-sha256": sha256, "ecdsa-sha384": sha384, "ecdsa-sha512": sha512 };

/**
 * ECDSA with RFC 6979's nonce, so that signing twice gives one signature, as DER. s is left as it falls: RFC 6979 knows no low s,
 * and every verifier accepts both.
 */
export function deterministicEcdsa(key: KeyObject, algorithm: SignatureAlgorithm): (message: Uint8Array) => Uint8Array {
  const [curve, hash] = [curveOf(key), Object.hasOwn(hashes, algorithm) ? hashes[algorithm as keyof typeof hashes] : undefined];
  if (!curve || !hash) throw new TypeError(`${algorithm} is not ECDSA over a NIST curve`);
  const signer: ECDSA = ecdsa(points[curve], hash);
  const secret = secretOf(key);
  return (message) => signer.sign(message, secret, { lowS: false, format: "der" });
}

/** RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING secret, … }. A JWK would do, but Node has none for P-224. */
function secretOf(key: KeyObject): Uint8Array {
  const der = key.export({ type: "sec1", format: "der" });
  const start = (der[1] ?? 0) & 0x80 ? 2 + ((der[1] ?? 0) & 0x7f) : 2;
  const octets = start + 3;
  const secret = Uint8Array.from(der.subarray(octets + 2, octets + 2 + (der[octets + 1] ?? 0)));
  der.fill(0);
  return secret;
}
