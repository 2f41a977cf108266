import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { CountersignError, type FoundSignature, type Retry, type Signature, type Signer } from "@countersign/core";
import { algorithmOf } from "./algorithm-of.ts";
import type { SigstoreSignature, SigstoreSigner } from "./sigstore-signer.ts";

export interface FromSigstoreOptions {
  /** In outcomes and metrics. Default "sigstore". */
  readonly name?: string;
  /** The certificates above the signer's own, PEM, issuing CA first; @sigstore/sign keeps only the leaf. */
  readonly chain?: string;
  /**
   * SPKI PEM of a signer that always has the same key: with it, what an earlier process signed is recognised. Without it only what this
   * process signed is, so that a crash between signing and storing may leave a second signature.
   */
  readonly publicKey?: string;
  /** Milliseconds since 1970. Default Date.now. */
  readonly now?: () => number;
}

/** Certificates and keys of which it is remembered that they were the signer's. */
const remembered = 1000;

/**
 * A signer of @sigstore/sign as one of Countersign's. Its signature is verified before it leaves. What it throws is told by its code
 * alone: its messages may quote a token.
 *
 * @throws CountersignError "sign.refused" (hold), "sign.unreachable" (wait), "sign.failed" (counted), "sign.faulty" (counted)
 */
export function fromSigstore(signer: SigstoreSigner, options: FromSigstoreOptions = {}): Signer {
  const { name = "sigstore", chain, now = Date.now } = options;
  const fixed = options.publicKey === undefined ? undefined : pemOf(createPublicKey(options.publicKey));
  const ours = new Set<string>(fixed === undefined ? [] : [fixed]);

  return {
    name,
    async sign(message, { signal }) {
      const made = await aborted(signal, signer.sign(Buffer.from(message))).catch((error: unknown) => {
        signal.throwIfAborted();
        throw failureFrom(error, name);
      });
      const signature = signatureFrom(made, message);
      if (!signature)
        throw new CountersignError("sign.faulty", `a signature of ${name} does not verify with the key that came with it`, {
          retry: "counted",
        });
      ours.add(holderOf(signature));
      for (const oldest of ours) if (ours.size > remembered && oldest !== fixed) ours.delete(oldest);
      return { ...signature, ...(signature.certificate && chain && { chain }) };
    },
    async recognise(message, found, { signal }) {
      signal.throwIfAborted();
      for (const one of found) {
        const mine = recognised(one, message);
        if (mine) return mine;
      }
      return undefined;
    },
  };

  function recognised(found: FoundSignature, message: Uint8Array): Signature | undefined {
    const { certificate, bytes, seenAt } = found;
    if (certificate !== undefined) {
      const made = signatureFrom({ signature: Buffer.from(bytes), key: { $case: "x509Certificate", certificate } }, message);
      if (!made || !(ours.has(holderOf(made)) || ours.has(made.publicKey)) || !isTimely(certificate, seenAt)) return undefined;
      const above = found.chain || chain;
      return { ...made, ...(above && { chain: above }) };
    }
    // A log, a tag or a bundle may keep no key: each of ours is tried.
    for (const publicKey of ours) {
      if (!publicKey.includes("PUBLIC KEY")) continue;
      const made = signatureFrom({ signature: Buffer.from(bytes), key: { $case: "publicKey", publicKey } }, message);
      if (made) return made;
    }
    return undefined;
  }

  /** A certificate that is over was good when a witness saw it. */
  function isTimely(certificate: string, seenAt: number | undefined): boolean {
    const { validFrom, validTo } = new X509Certificate(certificate);
    const time = seenAt === undefined ? now() : seenAt * 1000;
    return new Date(validFrom).getTime() - (seenAt === undefined ? 300_000 : 0) <= time && time <= new Date(validTo).getTime();
  }
}

/** What tells one holder from another: the certificate, or the key where there is none. */
const holderOf = ({ certificate, publicKey }: Signature): string => certificate ?? publicKey;

/** Undefined: it does not verify, or is of a kind that Countersign does not know. */
function signatureFrom({ signature, key }: SigstoreSignature, message: Uint8Array): Signature | undefined {
  try {
    const certificate = key.$case === "x509Certificate" ? new X509Certificate(key.certificate) : undefined;
    const holder = certificate?.publicKey ?? createPublicKey(key.$case === "publicKey" ? key.publicKey : "");
    const algorithm = algorithmOf(holder, message, signature);
    if (!algorithm) return undefined;
    const bytes = new Uint8Array(signature);
    return { bytes, algorithm, publicKey: pemOf(holder), ...(certificate && { certificate: `${certificate}` }) };
  } catch {
    return undefined; // no certificate, no key
  }
}

const pemOf = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();

/** Its signers know no signal: whoever aborts leaves them behind. */
async function aborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  const left = Promise.withResolvers<never>();
  const onAbort = (): void => left.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** InternalError carries a code, and in its cause the status of an HTTP answer or the code of a broken connection. */
function failureFrom(error: unknown, name: string): CountersignError {
  if (CountersignError.is(error)) return error;
  const { code, cause } = membersOf(error);
  const { statusCode, code: causeCode, type } = membersOf(cause);
  const status = typeof statusCode === "number" ? statusCode : undefined;
  const told = [word(code), status, word(causeCode)].filter(Boolean).join(", ");
  const sentence = `the signer ${name} failed${told && ` (${told})`}`;
  if (status === undefined && !isCut(causeCode, type)) return failure("sign.failed", sentence, "counted");
  if (status === undefined || status >= 500 || [408, 425, 429].includes(status))
    return failure("sign.unreachable", `${sentence}; it is tried again`, "wait");
  return failure("sign.refused", `${sentence}: check its address and identity`, "hold");
}

const failure = (code: `sign.${string}`, sentence: string, retry: Retry): CountersignError =>
  new CountersignError(code, sentence, { retry });

/** Of make-fetch-happen and of Node's sockets. */
function isCut(code: unknown, type: unknown): boolean {
  if (type === "request-timeout" || type === "body-timeout" || type === "system") return true;
  return typeof code === "string" && /^(E(CONN|TIMEDOUT|AI_AGAIN|NOTFOUND|PIPE|HOSTUNREACH|NETUNREACH)|FETCH_ERROR|UND_ERR)/.test(code);
}

/** A code is a word in capitals; anything else might be a text about something secret. */
const word = (code: unknown): string | undefined => (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : undefined);

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
