import { X509Certificate } from "node:crypto";
import type { TrustedAuthority } from "@countersign/core";
import { certificateAuthority, faultIn, logAuthority } from "./one-question.ts";
import { pemsIn } from "./pem.ts";
import { sigstoreCore, type Verify } from "./sigstore-library.ts";
import type { SigstoreTrust } from "./trust.ts";
import { because, type Reason } from "./verdict.ts";

export interface Judged {
  /** PEM of the leaf. */
  readonly certificate: string;
  /** PEMs that came along; nobody believes them before a trusted root has vouched for them. */
  readonly chain: string | undefined;
  /** When the signature was there, by the word of a log or of a timestamp authority. At least one. */
  readonly times: readonly Date[];
  readonly promise: "required" | "ignored";
}

const codeSigning = "1.3.6.1.5.5.7.3.3";

/** Why this certificate proves nothing: its chain, its time, its purpose, and the promise of a certificate-transparency log inside it. */
export function certificateFaults({ certificate, chain, times, promise }: Judged, trust: SigstoreTrust): readonly Reason[] {
  const leaf = leafFrom(certificate);
  if (!leaf) return [because("certificate", "the certificate cannot be read")];
  if (trust.certificateAuthorities.length === 0)
    return [
      because("certificate", "no certificate authority is trusted: give a trusted root that holds the one that issued this certificate"),
    ];
  const faults = times.flatMap((time) => chainFaults(leaf, time, promise, { ...trust, certificateAuthorities: widened(trust, chain) }));
  const purpose = new X509Certificate(certificate).keyUsage?.includes(codeSigning)
    ? []
    : [because("certificate", "the certificate is not for signing code (extended key usage)")];
  return [...faults, ...purpose];
}

type Leaf = Extract<Verify.SignedEntity["key"], { $case: "certificate" }>["certificate"];

function leafFrom(pem: string): Leaf | undefined {
  try {
    return new X509Certificate(pem) && sigstoreCore().X509Certificate.parse(pem);
  } catch {
    return undefined;
  }
}

function chainFaults(leaf: Leaf, time: Date, promise: Judged["promise"], trust: SigstoreTrust): readonly Reason[] {
  const fault = faultIn({
    key: { $case: "certificate", certificate: leaf },
    timestamps: [vouchedFor(time)],
    trust: {
      certificateAuthorities: trust.certificateAuthorities.map(certificateAuthority),
      ctlogs: trust.ctLogs.map(logAuthority),
    },
    promisesWanted: promise === "required" ? 1 : 0,
  });
  if (fault === undefined) return [];
  const isPromise = /^SCT verification failed|SCTs, got/.test(fault);
  if (isPromise)
    return promise === "ignored"
      ? []
      : [because("certificate", `no trusted certificate-transparency log vouches for the certificate (${fault})`)];
  if (!leaf.validForDate(time)) return [because("certificate", expired(leaf, time))];
  return [because("certificate", "no trusted certificate authority issued the certificate, at that time or at all")];
}

const expired = ({ notBefore, notAfter }: Leaf, time: Date): string =>
  `the certificate was valid from ${text(notBefore)} to ${text(notAfter)}, and the signature is of ${text(time)}`;

const text = (time: Date): string => (Number.isNaN(time.getTime()) ? "no readable time" : time.toISOString());

/** The library takes a time from a log entry whose promise it has checked, or, here, from us who did. */
function vouchedFor(time: Date): Verify.SignedEntity["timestamps"][number] {
  return {
    $case: "transparency-log",
    tlogEntry: {
      logIndex: "0",
      logId: { keyId: Buffer.alloc(0) },
      kindVersion: { kind: "", version: "" },
      integratedTime: String(time.getTime() / 1000),
      inclusionPromise: { signedEntryTimestamp: Buffer.alloc(0) },
      inclusionProof: undefined,
      canonicalizedBody: Buffer.alloc(0),
    },
  };
}

/** Intermediates that came with the signature join an authority once one of its own certificates has issued them. */
function widened({ certificateAuthorities }: SigstoreTrust, chain: string | undefined): readonly TrustedAuthority[] {
  const strangers = pemsIn(chain ?? "", "CERTIFICATE")
    .slice(0, 8)
    .flatMap(readable);
  return certificateAuthorities.map((authority) => {
    const trusted = authority.certificates.flatMap(readable);
    for (const _ of strangers) {
      for (const one of strangers) if (!trusted.some((other) => other.raw.equals(one.raw)) && isVouchedFor(one, trusted)) trusted.push(one);
    }
    return { ...authority, certificates: trusted.map(String) };
  });
}

const isVouchedFor = (one: X509Certificate, trusted: readonly X509Certificate[]): boolean =>
  one.ca && trusted.some((issuer) => issuer.ca && one.checkIssued(issuer) && one.verify(issuer.publicKey));

function readable(pem: string): readonly X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}
