import "reflect-metadata";
import { generateKeyPairSync, type KeyObject, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const curve = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
const tenYears = 10 * 365 * 86_400_000;

export interface TimestampSigner {
  readonly leaf: X509Certificate;
  readonly privateKey: KeyObject;
}

export interface TimestampCertificates {
  /** PEM, the authority's own first. */
  readonly certificates: readonly string[];
  readonly own: TimestampSigner;
  /** Below the same root, for code: no verifier may take a timestamp from it. */
  readonly forCode: TimestampSigner;
}

/** A root and, below it, a certificate for nothing but timestamps (RFC 3161 section 2.3: one purpose, critical). */
export async function timestampCertificates(at: number): Promise<TimestampCertificates> {
  cryptoProvider.set(webcrypto);
  const days = { notBefore: new Date(at - 86_400_000), notAfter: new Date(at + tenYears) };
  const serialNumber = (): string => randomBytes(16).fill(0x4a, 0, 1).toString("hex");
  const rootKeys = await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=countersign test timestamp root,O=countersign.test",
    ...days,
    keys: rootKeys,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const [own, forCode] = [await signer(ExtendedKeyUsage.timeStamping), await signer(ExtendedKeyUsage.codeSigning)];
  return { certificates: [`${own.leaf}`, `${new X509Certificate(Buffer.from(root.rawData))}`], own, forCode };

  async function signer(purpose: ExtendedKeyUsage): Promise<TimestampSigner> {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = await webcrypto.subtle.importKey("spki", publicKey.export({ type: "spki", format: "der" }), curve, true, ["verify"]);
    const leaf = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: "CN=countersign test timestamps,O=countersign.test",
      issuer: root.subject,
      ...days,
      signingAlgorithm,
      signingKey: rootKeys.privateKey,
      publicKey: key,
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([purpose], true),
        await SubjectKeyIdentifierExtension.create(key),
        await AuthorityKeyIdentifierExtension.create(root.publicKey),
      ],
    });
    return { leaf: new X509Certificate(Buffer.from(leaf.rawData)), privateKey };
  }
}
