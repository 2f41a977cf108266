import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Period, TrustedAuthority, TrustedKey } from "@countersign/core";
import { sigstoreCore, sigstoreVerify, type Verify } from "./sigstore-library.ts";

/** Everything that is not asked about is answered with yes. */
export interface Question {
  readonly key?: Verify.SignedEntity["key"];
  readonly content?: Partial<SignatureContent>;
  readonly entries?: Verify.SignedEntity["tlogEntries"];
  readonly timestamps?: Verify.SignedEntity["timestamps"];
  readonly trust: Partial<Omit<Verify.TrustMaterial, "publicKey">>;
  /** How many log entries, certificate-log promises and timestamps there must be. */
  readonly entriesWanted?: number;
  readonly promisesWanted?: number;
  readonly timestampsWanted?: number;
}

/**
 * @sigstore/verify stops at the first fault, and a verdict names them all; so it is asked one thing at a time. The answer is its own
 * sentence for what is wrong.
 */
export function faultIn({ key, content, entries = [], timestamps = [], trust, ...wanted }: Question): string | undefined {
  const { Verifier } = sigstoreVerify();
  const material: Verify.TrustMaterial = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    ...trust,
    publicKey: () => ({ publicKey: anyKey(), validFor: () => true }),
  };
  const { entriesWanted = 0, promisesWanted = 0, timestampsWanted = 0 } = wanted;
  const entity: Verify.SignedEntity = {
    key: key ?? { $case: "public-key", hint: "" },
    signature: { ...yes, ...content },
    tlogEntries: [...entries],
    timestamps: [...timestamps],
  };
  const thresholds = { tlogThreshold: entriesWanted, ctlogThreshold: promisesWanted, timestampThreshold: timestampsWanted };
  try {
    new Verifier(material, thresholds).verify(entity);
    return undefined;
  } catch (error) {
    // a stranger's certificate or entry can be so odd that the library stumbles instead of refusing
    return error instanceof sigstoreVerify().VerificationError ? error.message : "it is malformed";
  }
}

type SignatureContent = Verify.SignedEntity["signature"];

const yes: SignatureContent = {
  signature: Buffer.alloc(0),
  compareSignature: () => true,
  compareDigest: () => true,
  compareSignedDigest: () => true,
  verifySignature: () => true,
};

let someKey: KeyObject | undefined;
const anyKey = (): KeyObject => (someKey ??= generateKeyPairSync("ed25519").publicKey);

const periodOf = ({ start, end }: Period = {}): { readonly start: Date; readonly end: Date } => ({
  start: start === undefined ? new Date(0) : new Date(start),
  end: end === undefined ? new Date(8_640_000_000_000_000) : new Date(end),
});

export const isWithin = (period: Period, time: Date): boolean => {
  const { start, end } = periodOf(period);
  return start <= time && time <= end;
};

export function logAuthority({ keyId, publicKey, url, validFor }: TrustedKey): Verify.TrustMaterial["tlogs"][number] {
  return {
    logID: Buffer.from(keyId, "base64"),
    publicKey: sigstoreCore().crypto.createPublicKey(publicKey),
    baseURL: url,
    validFor: periodOf(validFor),
  };
}

export function certificateAuthority({ certificates, validFor }: TrustedAuthority): Verify.TrustMaterial["certificateAuthorities"][number] {
  return { certChain: certificates.map((pem) => sigstoreCore().X509Certificate.parse(pem)), validFor: periodOf(validFor) };
}
