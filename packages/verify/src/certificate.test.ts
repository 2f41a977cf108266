import "reflect-metadata";
import { createHash, webcrypto, X509Certificate } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Extension as PlainExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { beforeAll, describe, expect, test } from "vitest";
import { certificateFaults } from "./certificate.ts";
import { certificateHolder } from "./certificate-holder.ts";
import type { SigstoreTrust } from "./trust.ts";

cryptoProvider.set(webcrypto as never);
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const [codeSigning, serverAuth] = ["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1"];
const noon = new Date("2026-03-01T12:00:00Z");
const days = (count: number): Date => new Date(noon.getTime() + count * 86_400_000);

interface Made {
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly name: string;
}
interface Wish {
  readonly name: string;
  readonly by?: Made;
  readonly ca?: boolean;
  readonly until?: Date;
  readonly more?: readonly Extension[];
}
async function made({ name, by, ca = false, until = days(1), more = [] }: Wish): Promise<Made> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createHash("sha256").update(name).digest("hex").slice(0, 16).replace(/^./, "4"),
    subject: `CN=${name}`,
    issuer: `CN=${by?.name ?? name}`,
    notBefore: days(-1),
    notAfter: until,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey as never,
    signingKey: (by ?? { keys }).keys.privateKey as never,
    extensions: [
      new BasicConstraintsExtension(ca, undefined, true),
      new KeyUsagesExtension(ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature, true),
      ...more,
    ],
  });
  return { pem: `${new X509Certificate(Buffer.from(certificate.rawData))}`, keys, name };
}

const forCode = new ExtendedKeyUsageExtension([codeSigning]);
let [root, intermediate]: [Made, Made] = [] as never;
beforeAll(async () => {
  root = await made({ name: "root", ca: true, until: days(9) });
  intermediate = await made({ name: "intermediate", by: root, ca: true });
});
const trust = (...certificates: readonly Made[]): SigstoreTrust => ({
  logs: [],
  ctLogs: [],
  timestampAuthorities: [],
  certificateAuthorities: [{ url: "", certificates: certificates.map(({ pem }) => pem) }],
});
const faults = (leaf: Made, believed: SigstoreTrust, { chain = "", at = noon } = {}): readonly string[] =>
  certificateFaults({ certificate: leaf.pem, chain, times: [at], promise: "ignored" }, believed).map(({ sentence }) => sentence);

describe("a certificate", () => {
  test("for signing code, of a trusted root or of what that has issued", async () => {
    const leaf = await made({ name: "leaf", by: intermediate, more: [forCode] });
    expect(faults(leaf, trust(intermediate, root))).toEqual([]);
    expect(faults(leaf, trust(root), { chain: intermediate.pem })).toEqual([]);
    expect(faults(leaf, trust(root))).toEqual([expect.stringContaining("no trusted certificate authority")]);
    expect(faults(await made({ name: "short", by: root, more: [forCode] }), trust(root))).toEqual([]);
  });

  test.each([
    ["for servers", [new ExtendedKeyUsageExtension([serverAuth])]],
    ["for nothing in particular", []],
  ])("%s is not for signing code", async (_, more) => {
    const leaf = await made({ name: "leaf", by: intermediate, more });
    expect(faults(leaf, trust(intermediate, root))).toEqual([expect.stringContaining("not for signing code")]);
  });

  test("that another leaf issued, as if it were an authority", async () => {
    const leaf = await made({ name: "leaf", by: intermediate, more: [forCode] });
    const child = await made({ name: "child", by: leaf, more: [forCode] });
    expect(faults(child, trust(intermediate, root), { chain: leaf.pem })).toEqual([
      expect.stringContaining("no trusted certificate authority"),
    ]);
    expect(faults(child, trust(root), { chain: leaf.pem + intermediate.pem })).toEqual([
      expect.stringContaining("no trusted certificate authority"),
    ]);
  });

  test("under an authority of the same name with another key", async () => {
    const twin = await made({ name: "root", ca: true });
    const leaf = await made({ name: "leaf", by: twin, more: [forCode] });
    expect(faults(leaf, trust(root))).toHaveLength(1);
    expect(faults(leaf, trust(root), { chain: twin.pem })).toHaveLength(1);
  });

  test("before, after, and under an intermediate that had expired", async () => {
    const leaf = await made({ name: "leaf", by: intermediate, until: days(5), more: [forCode] });
    expect(faults(leaf, trust(intermediate, root), { at: days(-2) })).toEqual([expect.stringContaining("was valid from 2026-02-28")]);
    expect(faults(leaf, trust(intermediate, root), { at: days(6) })).toEqual([expect.stringContaining("to 2026-03-06")]);
    expect(faults(leaf, trust(intermediate, root), { at: days(2) })).toEqual([expect.stringContaining("no trusted certificate authority")]);
    expect(faults(leaf, trust(intermediate, root), { at: new Date("never") })).toHaveLength(1);
  });

  test("every fault is told", async () => {
    const leaf = await made({ name: "leaf", by: await made({ name: "stranger", ca: true }) });
    expect(faults(leaf, trust(root))).toHaveLength(2);
    expect(faults(leaf, trust())).toHaveLength(2);
    expect(faults(leaf, { ...trust(), certificateAuthorities: [] })).toEqual([
      expect.stringContaining("no certificate authority is trusted"),
    ]);
  });
});

describe("whom a certificate names", () => {
  const named = async (more: readonly Extension[]): Promise<ReturnType<typeof certificateHolder>> =>
    certificateHolder((await made({ name: "leaf", more })).pem);
  const utf8 = (text: string): Buffer => Buffer.concat([Buffer.of(0x0c, text.length), Buffer.from(text)]);
  const issuer = (number: number, value: Uint8Array): Extension =>
    new PlainExtension(`1.3.6.1.4.1.57264.1.${number}`, false, value as never);

  test("addresses, URIs and hosts, in their order", async () => {
    const names = new SubjectAlternativeNameExtension([
      { type: "email", value: "ann@example.test" },
      { type: "url", value: "https://example.test/ann" },
      { type: "dns", value: "example.test" },
    ]);
    expect((await named([names]))?.identities).toEqual(["ann@example.test", "https://example.test/ann", "example.test"]);
    expect((await named([]))?.identities).toEqual([]);
  });

  test("the user name in Fulcio's othername, and in nobody else's", async () => {
    const other = (oid: string): Extension => {
      const body = Buffer.concat([Buffer.from(oid, "hex"), Buffer.of(0xa0, 5), utf8("ann")]);
      const name = Buffer.concat([Buffer.of(0xa0, body.length), body]);
      return new PlainExtension("2.5.29.17", true, Buffer.concat([Buffer.of(0x30, name.length), name]) as never);
    };
    expect((await named([other("060a2b0601040183bf300107")]))?.identities).toEqual(["ann"]);
    expect((await named([other("060a2b0601040183bf300106")]))?.identities).toEqual([]);
  });

  test("the issuer: a UTF8String in the newer extension, bare bytes in the older, the newer first", async () => {
    const [old, young] = [issuer(1, Buffer.from("https://old.test")), issuer(8, utf8("https://new.test"))];
    expect((await named([old]))?.issuer).toBe("https://old.test");
    expect((await named([young]))?.issuer).toBe("https://new.test");
    expect((await named([old, young]))?.issuer).toBe("https://new.test");
    expect((await named([]))?.issuer).toBeUndefined();
  });
});
