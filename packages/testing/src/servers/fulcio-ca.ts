import "reflect-metadata";
import { type KeyObject, X509Certificate as NodeCertificate, randomBytes, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { X509Certificate as ParsedCertificate } from "@sigstore/core";
import type { CtLog } from "./ct-log.ts";
import type { Identity } from "./fulcio-token.ts";

export interface Authority {
  /** PEM, the issuing CA first, the root last. */
  readonly certificates: readonly string[];
  /** PEM of a code-signing certificate for this key. */
  issue(order: Order): Promise<string>;
}

export interface Order {
  readonly publicKey: KeyObject;
  readonly identity: Identity;
  readonly notBefore: number;
  readonly lifetimeMs: number;
  readonly ctLog: CtLog | undefined;
}

const curve = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
const sctListOid = "1.3.6.1.4.1.11129.2.4.2";

/** A root and, unless it is to issue by itself, an intermediate below it; both good for ten years around `at`. */
export async function certificateAuthority({ at, intermediate }: { at: number; intermediate: boolean }): Promise<Authority> {
  cryptoProvider.set(webcrypto);
  const root = await caCertificate("countersign test root", at);
  const issuing = intermediate ? await caCertificate("countersign test intermediate", at, root) : root;
  const chain = intermediate ? [issuing.certificate, root.certificate] : [root.certificate];

  async function issue({ publicKey, identity, notBefore, lifetimeMs, ctLog }: Order): Promise<string> {
    const spki = publicKey.export({ type: "spki", format: "der" });
    const key = await webcrypto.subtle.importKey("spki", spki, importAlgorithm(publicKey), true, ["verify"]);
    const order = {
      serialNumber: randomBytes(16).fill(0x4a, 0, 1).toString("hex"),
      issuer: issuing.certificate.subject,
      notBefore: new Date(notBefore),
      notAfter: new Date(notBefore + lifetimeMs),
      signingAlgorithm,
      signingKey: issuing.keys.privateKey,
      publicKey: key,
    };
    const extensions = [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.codeSigning]),
      await SubjectKeyIdentifierExtension.create(key),
      await AuthorityKeyIdentifierExtension.create(issuing.certificate.publicKey),
      new SubjectAlternativeNameExtension([identity.san], true),
      ...identityExtensions(identity),
    ];
    const bare = await X509CertificateGenerator.create({ ...order, extensions });
    if (!ctLog) return pemOf(bare);
    const tbs = ParsedCertificate.parse(Buffer.from(bare.rawData)).tbsCertificate.toDER();
    const stamp = ctLog.stamp({ tbs, issuerKey: new Uint8Array(issuing.certificate.publicKey.rawData) });
    return pemOf(await X509CertificateGenerator.create({ ...order, extensions: [...extensions, stamped(stamp)] }));
  }

  return { certificates: chain.map(pemOf), issue };
}

interface Ca {
  readonly certificate: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

async function caCertificate(name: string, at: number, above?: Ca): Promise<Ca> {
  const keys = (await webcrypto.subtle.generateKey(curve, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const subject = `O=countersign.test, CN=${name}`;
  const tenYears = 3_650 * 86_400_000;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomBytes(16).fill(0x4a, 0, 1).toString("hex"),
    subject,
    issuer: above?.certificate.subject ?? subject,
    notBefore: new Date(at - tenYears / 2),
    notAfter: new Date(at + tenYears / 2),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey: (above ?? { keys }).keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(true, above ? 0 : 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ...(above ? [new ExtendedKeyUsageExtension([ExtendedKeyUsage.codeSigning])] : []),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(above ? [await AuthorityKeyIdentifierExtension.create(above.certificate.publicKey)] : []),
    ],
  });
  return { certificate, keys };
}

type ImportAlgorithm = Parameters<typeof webcrypto.subtle.importKey>[2];

function importAlgorithm({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): ImportAlgorithm {
  const curves: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
  if (type === "ec") return { name: "ECDSA", namedCurve: curves[details?.namedCurve ?? ""] ?? "" };
  return type === "rsa" ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : { name: "Ed25519" };
}

/** Fulcio's own extensions: 1.3.6.1.4.1.57264.1.1 to .6 hold bare bytes, those from .8 on a UTF8String. */
function identityExtensions({ issuer, claims, san }: Identity): readonly Extension[] {
  const text = (name: string): string | undefined => (typeof claims[name] === "string" ? (claims[name] as string) : undefined);
  const repository = text("repository");
  const workflow = san.value.startsWith("https://github.com/") && repository !== undefined;
  const values: readonly (readonly [number, string | undefined])[] = [
    [1, issuer],
    ...(workflow
      ? ([
          [2, text("event_name")],
          [3, text("sha")],
          [4, text("workflow")],
          [5, repository],
          [6, text("ref")],
        ] as const)
      : []),
    [8, issuer],
    ...(workflow
      ? ([
          [9, san.value],
          [11, text("runner_environment")],
          [12, `https://github.com/${repository}`],
          [13, text("sha")],
          [14, text("ref")],
          [20, text("event_name")],
        ] as const)
      : []),
    [24, text("sub")],
  ];
  return values.flatMap(([number, value]) => {
    if (value === undefined) return [];
    const bytes = Buffer.from(value);
    return [new Extension(`1.3.6.1.4.1.57264.1.${number}`, false, number < 8 ? bytes : der(0x0c, bytes))];
  });
}

function stamped(stamp: Uint8Array): Extension {
  const one = Buffer.concat([uint16(stamp.length), stamp]);
  return new Extension(sctListOid, false, der(0x04, Buffer.concat([uint16(one.length), one])));
}

/** Short forms and one or two length bytes: nothing here is longer. */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), value]);
}

const uint16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
const pemOf = ({ rawData }: X509Certificate): string => `${new NodeCertificate(Buffer.from(rawData))}`;
