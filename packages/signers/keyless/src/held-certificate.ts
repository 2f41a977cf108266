import { createPublicKey, generateKeyPair, type KeyObject, X509Certificate as NodeCertificate, sign } from "node:crypto";
import { promisify } from "node:util";
import { type Call, CountersignError } from "@countersign/core";
import type { X509Certificate } from "@sigstore/core";
import { authorityOf, isChain, parsed, pemsIn } from "./certificate-chain.ts";
import { stampVerdict } from "./certificate-timestamp.ts";
import type { FulcioClient, Issued } from "./fulcio.ts";
import { type Identity, toleranceMs } from "./identity.ts";
import type { KeylessTrust, KeylessTrustSource } from "./trust.ts";

/** A key that lives in this process alone, and a certificate for it. */
export interface HeldCertificate {
  readonly privateKey: KeyObject;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly certificate: string;
  readonly chain: string;
  readonly parsed: X509Certificate;
  /** Of the token it was asked with. */
  readonly fingerprint: string;
  /** Both by this machine's clock, milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
}

export interface Issuance {
  readonly fulcio: FulcioClient;
  readonly trust: KeylessTrustSource;
  readonly now: () => number;
  readonly renewBeforeMs: number;
}

const newKeyPair = promisify(generateKeyPair);

/**
 * A new key, and a certificate for it that was checked: it is for this key, holds today, leads to a CA that we trust and was logged.
 *
 * @throws CountersignError "sign.ca-…", "sign.certificate-…", "sign.clock-skewed", "sign.token-…"
 */
export async function newCertificate(
  identity: Identity,
  { fulcio, trust, now, renewBeforeMs }: Issuance,
  call: Call,
): Promise<HeldCertificate> {
  const { privateKey, publicKey: key } = await newKeyPair("ec", { namedCurve: "P-256" });
  const publicKey = key.export({ type: "spki", format: "pem" }).toString();
  const proof = sign("sha256", Buffer.from(identity.challenge), privateKey);
  const asked = now();
  const issued = await fulcio.certificate({ publicKey, proof, identity }, { ...call, now: asked });
  const since = now();
  const leaf = leafOf(issued, fulcio.place);
  const chain = pemsIn(issued.chain);
  checkKey(issued, publicKey, fulcio.place);
  checkClock(leaf, since, fulcio.place);
  checkChain(leaf, chain, fulcio.place);
  await checkTrust(leaf, chain, issued, { trust, place: fulcio.place, call });
  const until = since + usableMs(leaf, since, renewBeforeMs);
  return {
    privateKey,
    publicKey,
    certificate: issued.certificate,
    chain: issued.chain,
    parsed: leaf,
    fingerprint: identity.fingerprint,
    since,
    until,
  };
}

/**
 * Until shortly before its end, by whichever clock that is earlier: ours, or the CA's, whose certificates begin when they are made. One
 * that is very short-lived, or nearly over by our clock, serves for half of what is left.
 */
function usableMs(leaf: X509Certificate, since: number, renewBeforeMs: number): number {
  const end = leaf.notAfter.getTime();
  const left = Math.min(end - since, end - leaf.notBefore.getTime());
  return Math.max(left - renewBeforeMs, left / 2);
}

function leafOf({ certificate }: Issued, place: string): X509Certificate {
  try {
    return parsed(certificate);
  } catch {
    throw unsound(`the certificate from Fulcio at ${place} cannot be read; it is asked for again`);
  }
}

function checkKey({ certificate }: Issued, publicKey: string, place: string): void {
  if (new NodeCertificate(certificate).publicKey.equals(createPublicKey(publicKey))) return;
  throw unsound(`Fulcio at ${place} gave a certificate for another key than ours: something between us changes answers, or mixes them up`);
}

function checkClock({ notBefore, notAfter }: X509Certificate, now: number, place: string): void {
  const [start, end] = [notBefore.getTime(), notAfter.getTime()];
  if (start - toleranceMs <= now && now < end) return;
  const minutes = Math.round(Math.abs(now - start) / 60_000);
  throw new CountersignError(
    "sign.clock-skewed",
    `this machine's clock is ${minutes} min ${now < start ? "behind" : "ahead of"} that of Fulcio at ${place}, more than a certificate lasts or than may be overlooked: set this machine's clock (NTP), or Fulcio's`,
    { retry: "hold" },
  );
}

/** With or without a trust root: what we store beside the signature must hold together. */
function checkChain(leaf: X509Certificate, chain: readonly string[], place: string): void {
  if (chain.length > 0 && holds(() => isChain([leaf, ...chain.map(parsed)], leaf.notBefore))) return;
  throw unsound(`the certificate from Fulcio at ${place} and the chain that came with it do not belong together; it is asked for again`);
}

interface TrustCheck {
  readonly trust: KeylessTrustSource;
  readonly place: string;
  readonly call: Call;
}

/** What is unknown may be newer than the trust root, so a newer root is looked for once. */
async function checkTrust(
  leaf: X509Certificate,
  chain: readonly string[],
  issued: Issued,
  { trust, place, call }: TrustCheck,
): Promise<void> {
  const fault = (root: KeylessTrust | undefined): string | undefined => root && trustFault(leaf, chain, issued, root, place);
  if (fault(await trust(call)) === undefined) return;
  const left = fault(await trust({ ...call, fresh: true }));
  if (left !== undefined) throw new CountersignError("sign.certificate-untrusted", left, { retry: "wait" });
}

function trustFault(
  leaf: X509Certificate,
  chain: readonly string[],
  { detachedStamp }: Issued,
  { certificateAuthorities, ctLogs }: KeylessTrust,
  place: string,
): string | undefined {
  const authority = authorityOf(leaf, certificateAuthorities);
  if (!authority)
    return `no certificate authority of the trust root issued what Fulcio at ${place} gave: add this Fulcio's chain to the trust root, it is looked at again`;
  if (ctLogs.length === 0) return undefined;
  const issuer = authority.certificates[0] ?? chain[0] ?? "";
  const verdict = stampVerdict(leaf, parsed(issuer), ctLogs, detachedStamp);
  return verdict === "sound" ? undefined : `${stampFaults[verdict]} (certificate from Fulcio at ${place})`;
}

const stampFaults = {
  missing: "the certificate carries no signed certificate timestamp, and the trust root names CT logs: connect this Fulcio to one of them",
  unknown: "the certificate was logged in a CT log whose key is not in the trust root: refresh the trust root, it is looked at again",
  forged: "the certificate's timestamp does not verify with the CT log's key: Fulcio or its CT log is not what it says; it is asked again",
} as const;

function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false; // not even readable
  }
}

const unsound = (sentence: string): CountersignError => new CountersignError("sign.certificate-unsound", sentence, { retry: "wait" });
