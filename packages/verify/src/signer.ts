import { X509Certificate } from "node:crypto";
import { logEntriesIn, timestampsIn } from "@countersign/bundle";
import type { Found } from "@countersign/core";
import { certificateFaults } from "./certificate.ts";
import { identityFaults } from "./identity.ts";
import { loggedFault, promisedTime } from "./log-entry.ts";
import { isWithin } from "./one-question.ts";
import type { Policy } from "./policy.ts";
import { signatureFault } from "./signature.ts";
import { timestampOf } from "./timestamp.ts";
import type { SigstoreTrust, TrustMaterial } from "./trust.ts";
import { because, type Reason } from "./verdict.ts";

export interface Signed {
  readonly found: Found;
  readonly payload: Uint8Array;
  readonly message: Uint8Array;
  /** What a timestamp may be over, each. */
  readonly stamped: readonly Uint8Array[];
}

/** Whether the signature is of somebody trusted: of a wanted identity where one is asked for and a certificate came along, else of a key. */
export function signerReasons(signed: Signed, trust: TrustMaterial, policy: Policy): readonly Reason[] {
  const { certificate } = signed.found.signature;
  const keys = [...trust.publicKeys, ...(trust.timedKeys ?? []).map(({ publicKey }) => publicKey)];
  if (policy.identity && (certificate !== undefined || keys.length === 0)) return holderReasons(signed, certificate, trust, policy);
  return keyReasons(signed, keys, trust, policy);
}

function keyReasons(signed: Signed, keys: readonly string[], trust: TrustMaterial, policy: Policy): readonly Reason[] {
  const { found, message } = signed;
  const fault = signatureFault(found.signature, message, keys);
  const makers = fault === undefined ? keys.filter((pem) => signatureFault(found.signature, message, [pem]) === undefined) : keys;
  const { reasons, times } = seen(signed, makers, trust.sigstore, policy);
  const late = fault === undefined ? outOfTime(makers, times, trust, policy) : undefined;
  return [
    ...(fault === undefined ? [] : [because("signature", fault)]),
    ...reasons,
    ...(late === undefined ? [] : [because("identity", late)]),
  ];
}

/** A key without a period is good at any time; one with a period only where all the times there are lie within. */
function outOfTime(makers: readonly string[], times: readonly Date[], trust: TrustMaterial, { at }: Policy): string | undefined {
  if (makers.some((pem) => trust.publicKeys.includes(pem))) return undefined;
  const judged = times.length > 0 || at === undefined ? times : [new Date(at)];
  if (judged.length === 0) return "the key is trusted for a time only, and no log or timestamp authority says when the signature was made";
  const periods = (trust.timedKeys ?? []).filter(({ publicKey }) => makers.includes(publicKey)).map(({ validFor }) => validFor);
  if (periods.some((period) => judged.every((time) => isWithin(period, time)))) return undefined;
  return `the key is trusted for another time than that of the signature (${judged.map(String).join(", ")})`;
}

function holderReasons(signed: Signed, certificate: string | undefined, trust: TrustMaterial, policy: Policy): readonly Reason[] {
  const { found, message } = signed;
  const { identity = {}, certificateLog = "required" } = policy;
  if (certificate === undefined)
    return [because("certificate", "no certificate came with the signature, so nobody is named; was it made with a key?")];
  const publicKey = publicKeyOf(certificate);
  if (publicKey === undefined) return [because("certificate", "the certificate cannot be read")];
  const { chain } = found.signature;
  const fault = signatureFault(found.signature, message, [publicKey]);
  const { reasons, times, claimed } = seen(signed, [certificate], trust.sigstore, policy);
  const timeless = times.length + claimed.length === 0 && policy.at === undefined;
  const judged = { certificate, chain, times: timesFor(times, claimed, policy.at, certificate), promise: certificateLog };
  return [
    ...(fault === undefined ? [] : [because("signature", "the certificate's key did not make this signature over this payload")]),
    ...reasons,
    ...(timeless
      ? [
          because(
            "timestamp",
            "no log and no timestamp authority says when the signature was made, so nobody knows whether the certificate was valid then",
          ),
        ]
      : []),
    ...certificateFaults(judged, trust.sigstore ?? noTrust),
    ...identityFaults(certificate, identity),
  ];
}

const noTrust: SigstoreTrust = { logs: [], ctLogs: [], certificateAuthorities: [], timestampAuthorities: [] };

/** Without any time the certificate is refused anyway; its own first moment then shows whether its chain would have held. */
function timesFor(times: readonly Date[], claimed: readonly Date[], at: string | undefined, certificate: string): readonly Date[] {
  if (times.length > 0) return times;
  if (at !== undefined) return [new Date(at)];
  return claimed.length > 0 ? claimed : [new X509Certificate(certificate).validFromDate];
}

function publicKeyOf(certificate: string): string | undefined {
  try {
    return new X509Certificate(certificate).publicKey.export({ type: "spki", format: "pem" }).toString();
  } catch {
    return undefined;
  }
}

interface Seen {
  readonly reasons: readonly Reason[];
  /** Vouched for. */
  readonly times: readonly Date[];
  /** Of entries that do not hold: good enough to look for further faults. */
  readonly claimed: readonly Date[];
}

/** What logs and timestamp authorities say about the signature. */
function seen(
  { found, payload, message, stamped }: Signed,
  signers: readonly string[],
  trust: SigstoreTrust | undefined,
  { log = trust ? "required" : "ignored" }: Policy,
): Seen {
  const entries = logEntriesIn(found.evidence);
  if (!trust) return { reasons: log === "required" ? [noLog] : [], times: [], claimed: [] };
  const logged = { bytes: found.signature.bytes, payload, message, signers };
  const judged = entries.map((entry) => ({ fault: loggedFault(entry, logged, trust.logs), time: promisedTime(entry) }));
  const stamps = timestampsIn(found.evidence).map((token) => timestampOf(token, stamped, trust.timestampAuthorities));
  const faults = judged.flatMap(({ fault }) => (fault === undefined ? [] : [because("log-entry", fault)]));
  return {
    reasons: [
      ...(log === "ignored" ? [] : entries.length === 0 ? [noEntry] : faults),
      ...stamps.flatMap((stamp) =>
        typeof stamp === "string" && trust.timestampAuthorities.length > 0 ? [because("timestamp", stamp)] : [],
      ),
    ],
    times: [
      ...judged.flatMap(({ fault, time }) => (fault === undefined && time ? [time] : [])),
      ...stamps.flatMap((stamp) => (typeof stamp === "string" ? [] : [stamp])),
    ],
    claimed: log === "ignored" ? [] : judged.flatMap(({ fault, time }) => (fault !== undefined && time ? [time] : [])),
  };
}

const noLog = because("log-entry", "no log is trusted: give a trusted root that holds the key of the log");
const noEntry = because("log-entry", "there is no entry of a transparency log with the signature");
