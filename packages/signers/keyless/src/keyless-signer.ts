import { X509Certificate as NodeCertificate, sign, verify } from "node:crypto";
import { type Call, CountersignError, type FoundSignature, type Signature, type Signer } from "@countersign/core";
import type { Http } from "@countersign/http";
import { fulcioClient } from "./fulcio.ts";
import { type HeldCertificate, newCertificate } from "./held-certificate.ts";
import { identityFrom } from "./identity.ts";
import { oneFlight } from "./one-flight.ts";
import { type Ours, recognised } from "./recognise.ts";
import type { TokenSource } from "./token-source.ts";
import type { KeylessTrustSource } from "./trust.ts";

export interface KeylessOptions {
  /** Fulcio's address, a base path included: signers.x509.fulcio.address. Plain http when it says so. */
  readonly url: string;
  readonly http: Pick<Http, "request">;
  readonly tokens: TokenSource;
  /** Default: none configured; the answer must hold together, that is all. */
  readonly trust?: KeylessTrustSource;
  /** Milliseconds since 1970. Default Date.now. */
  readonly now?: () => number;
  /** How long before its end a certificate is replaced. Default 60,000 ms. */
  readonly renewBeforeMs?: number;
  /**
   * Default true: a log or a timestamp authority will see each signature, so one that nobody saw is of no use once its certificate has
   * run out, and another is made. False: nobody will, and an old one is as good as a new one.
   */
  readonly witnessed?: boolean;
}

/** How often a token that costs only a file read is looked at for another identity. */
const lookAgainMs = 10_000;
/** A Fulcio that failed is left in peace for so long, however many runs wait. */
const restMs = 1_000;

/**
 * Signs with keys that never leave the process, under short-lived certificates from Fulcio. One certificate serves many signatures, until
 * shortly before it ends or the identity changes.
 */
export function keylessSigner(options: KeylessOptions): Signer {
  const { url, http, tokens, trust = async () => undefined, now = Date.now, renewBeforeMs = 60_000, witnessed = true } = options;
  const issuance = { fulcio: fulcioClient({ url, http }), trust, now, renewBeforeMs };
  let held: HeldCertificate | undefined;
  let looked: { readonly at: number; readonly cheap: boolean } = { at: Number.NEGATIVE_INFINITY, cheap: false };
  let rest: { readonly until: number; readonly failure: CountersignError } | undefined;

  const renewed = oneFlight(async (call) => {
    if (rest && now() < rest.until && rest.until - now() <= 3_600_000) throw rest.failure;
    try {
      const given = await tokens(call);
      const identity = identityFrom(given, now());
      held = await newCertificate(identity, issuance, call);
      looked = { at: now(), cheap: given.cheap === true };
      return held;
    } catch (failure) {
      if (CountersignError.is(failure) && failure.retry === "wait")
        rest = { until: now() + Math.max(restMs, failure.retryAfterMs ?? 0), failure };
      throw failure;
    }
  });

  /** Somebody who swaps the token file means the next signature, not the next certificate. */
  const sameIdentity = oneFlight(async (call): Promise<void> => {
    looked = { ...looked, at: now() };
    const identity = identityFrom(await tokens(call), now());
    if (identity.fingerprint !== held?.fingerprint) held = undefined;
  });

  async function current(call: Call): Promise<HeldCertificate> {
    await lookAgain(call);
    const time = now();
    // A clock that was set back says nothing about the end of what came before.
    return held && held.since <= time && time < held.until ? held : renewed(call);
  }

  async function lookAgain(call: Call): Promise<void> {
    if (!held || !looked.cheap || Math.abs(now() - looked.at) < lookAgainMs) return;
    // A token that is bad just now is the business of the next certificate.
    await sameIdentity(call).catch(() => call.signal.throwIfAborted());
  }

  return {
    name: "x509",
    async sign(message, call) {
      call.signal.throwIfAborted();
      const { privateKey, publicKey, certificate, chain } = await current(call);
      return { bytes: sign("sha256", message, privateKey), algorithm: "ecdsa-sha256", publicKey, certificate, chain };
    },
    async recognise(message, found, call) {
      call.signal.throwIfAborted();
      const candidates = found.filter((one) => madeWithItsCertificate(message, one));
      if (candidates.length === 0) return undefined;
      await lookAgain(call);
      const mine = held ?? (await renewed(call));
      const ours: Ours = {
        mine,
        authorities: (await trust(call))?.certificateAuthorities,
        witnessed,
        now: now(),
        spareMs: renewBeforeMs / 2,
      };
      return candidates.map((one) => recognised(one, ours)).find((one): one is Signature => one !== undefined);
    },
  };
}

/** Ours are always ECDSA over P-256. */
function madeWithItsCertificate(message: Uint8Array, { certificate, bytes }: FoundSignature): boolean {
  try {
    if (!certificate) return false;
    const { publicKey } = new NodeCertificate(certificate);
    return publicKey.asymmetricKeyDetails?.namedCurve === "prime256v1" && verify("sha256", message, publicKey, bytes);
  } catch {
    return false; // what somebody left there is no certificate
  }
}
