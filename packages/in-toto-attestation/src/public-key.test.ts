import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hintOf, keyidOf } from "./public-key.ts";

const golden = new URL("../../../../shared/golden/oci/keys/keyid-and-hint-vectors.json", import.meta.url);

describe.skipIf(!existsSync(golden))(
  `recorded keyids and hints${existsSync(golden) ? "" : " — SKIPPED: ../shared/golden is not there"}`,
  () => {
    interface Vector {
      key: string;
      publicKeyPem: string;
      dsseKeyid: string;
      bundlePublicKeyHint: string;
    }
    const vectors: Vector[] = existsSync(golden) ? JSON.parse(readFileSync(golden, "utf8")) : [];
    test.each(vectors)("$key", ({ publicKeyPem, dsseKeyid, bundlePublicKeyHint }) => {
      expect(hintOf(publicKeyPem)).toBe(bundlePublicKeyHint);
      if (dsseKeyid) expect(keyidOf(publicKeyPem)).toBe(dsseKeyid);
      else expect(() => keyidOf(publicKeyPem)).toThrow(/no keyid/);
    });
  },
);

test("a fingerprint as ssh-keygen prints it", () => {
  const rsa = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMRM3CXdhospq6ty5wS2UdxcQ3IZx
ZRYNP5lELKUHmPIa8rntH4uBPWhaUEkUUQ9JHpfIz+bGbsLBTCuOHhI9NA==
-----END PUBLIC KEY-----
`;
  expect(keyidOf(rsa)).toBe("SHA256:cH0TthXW0eJeaIeUfsMvRF8y31d3E/N/W6WI5PPBRLQ");
});

test("a key that SSH cannot write is named", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "secp224r1" });
  expect(() => keyidOf(publicKey)).toThrow(/P-224/);
});
