import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { isOfKnownLog, logEntryFault } from "@countersign/bundle";
import type { LogEntry, TrustedKey } from "@countersign/core";
import { faultIn, logAuthority } from "./one-question.ts";
import { pemsIn } from "./pem.ts";
import type { Verify } from "./sigstore-library.ts";

/** What a log entry must be about. */
export interface Logged {
  /** Of the signature. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  /** What was signed: the payload, or its DSSE encoding. */
  readonly message: Uint8Array;
  /** Public keys (SPKI PEM) and the certificate (PEM) that the entry may name as the signer's. */
  readonly signers: readonly string[];
}

/** Why this entry proves nothing about the signature; undefined when a trusted log took up exactly this signature. */
export function loggedFault(entry: LogEntry, logged: Logged, logs: readonly TrustedKey[]): string | undefined {
  const known = logs.filter((log) => isOfKnownLog(entry, [log]));
  if (known.length === 0)
    return `log entry ${entry.logIndex} is of a log that is not trusted, or not at that time (key id ${entry.logId.keyId})`;
  const fault = logEntryFault(entry, known, { promiseSuffices: true }) ?? contentFault(entry, logged, known);
  if (fault !== undefined) return `log entry ${entry.logIndex} does not hold: ${fault}`;
  return namesOneOf(logged.signers, entry) ? undefined : `log entry ${entry.logIndex} names another signer`;
}

/** Undefined when the entry is about this signature over this payload. */
function contentFault(entry: LogEntry, logged: Logged, known: readonly TrustedKey[]): string | undefined {
  const faults = known.map((log) =>
    faultIn({
      content: contentOf(logged),
      entries: [entryFrom(entry)],
      // Which log it is, its key says. The names by which entry and checkpoint call it are not compared with those in the trust root.
      trust: {
        tlogs: [{ ...logAuthority(log), logID: bytes(entry.logId.keyId), baseURL: entry.inclusionProof?.checkpoint.envelope ?? "" }],
      },
      entriesWanted: 1,
    }),
  );
  return faults.every((fault) => fault !== undefined) ? faults[0] : undefined;
}

/** A promise is signed together with its time; a mere proof of inclusion says nothing about when. */
export function promisedTime({ inclusionPromise, integratedTime }: LogEntry): Date | undefined {
  if (!inclusionPromise || !integratedTime) return undefined;
  return new Date(Number(integratedTime) * 1000);
}

type Entry = Verify.SignedEntity["tlogEntries"][number];

function entryFrom({ logIndex, logId, kindVersion, integratedTime, inclusionPromise, inclusionProof, canonicalizedBody }: LogEntry): Entry {
  return {
    logIndex,
    logId: { keyId: bytes(logId.keyId) },
    kindVersion: { ...kindVersion },
    integratedTime: integratedTime ?? "0",
    inclusionPromise: inclusionPromise && { signedEntryTimestamp: bytes(inclusionPromise.signedEntryTimestamp) },
    inclusionProof: inclusionProof && {
      logIndex: inclusionProof.logIndex,
      rootHash: bytes(inclusionProof.rootHash),
      treeSize: inclusionProof.treeSize,
      hashes: inclusionProof.hashes.map(bytes),
      checkpoint: { ...inclusionProof.checkpoint },
    },
    canonicalizedBody: bytes(canonicalizedBody),
  };
}

const bytes = (base64: string): Buffer => Buffer.from(base64, "base64");

const hashes: Readonly<Record<number, string>> = { 32: "sha256", 48: "sha384", 64: "sha512" };

/** An entry of kind hashedrekord names the hash of the message, any other the hash of the payload. */
function contentOf({ bytes: signature, payload, message }: Logged): Partial<Verify.SignedEntity["signature"]> {
  const isHashOf = (data: Uint8Array, digest: Buffer): boolean => {
    const algorithm = hashes[digest.length];
    return algorithm !== undefined && createHash(algorithm).update(data).digest().equals(digest);
  };
  return {
    compareSignature: (other) => other.equals(signature),
    compareDigest: (digest) => isHashOf(payload, digest),
    compareSignedDigest: (digest) => isHashOf(message, digest),
  };
}

/** The same for those who only look: empty where the entry is not of its kind's form. */
export function signersNamedIn(entry: LogEntry): readonly Uint8Array[] {
  try {
    return signersIn(entry);
  } catch {
    return [];
  }
}

/** Every key or certificate that an entry names as a signer's, DER; each kind and version has its own place for them. */
function signersIn({ canonicalizedBody }: LogEntry): readonly Buffer[] {
  const { kind, apiVersion, spec } = JSON.parse(bytes(canonicalizedBody).toString("utf8")) as Loose;
  return (places[`${kind} ${apiVersion}`]?.(spec) ?? []).flatMap(derIn);
}

// biome-ignore lint/suspicious/noExplicitAny: a log's JSON; what is not there is undefined, and what is no text is no signer
type Loose = Readonly<Record<string, any>>;

const places: Readonly<Record<string, (spec: Loose) => readonly unknown[]>> = {
  "dsse 0.0.1": (spec) => spec["signatures"].map(({ verifier }: Loose) => verifier),
  "intoto 0.0.2": (spec) => spec["content"].envelope.signatures.map(({ publicKey }: Loose) => publicKey),
  "hashedrekord 0.0.1": (spec) => [spec["signature"].publicKey.content],
  "dsse 0.0.2": (spec) => spec["dsseV002"].signatures.map(verifierIn),
  "hashedrekord 0.0.2": (spec) => [verifierIn(spec["hashedRekordV002"].signature)],
};

const verifierIn = ({ verifier }: Loose): unknown => verifier.x509Certificate?.rawBytes ?? verifier.publicKey?.rawBytes;

/** Base64 of a PEM (Rekor v1) or of DER (v2). */
function derIn(base64: unknown): readonly Buffer[] {
  if (typeof base64 !== "string") return [];
  const text = bytes(base64).toString("latin1");
  const [pem] = ["CERTIFICATE", "PUBLIC KEY"].flatMap((label) => pemsIn(text, label));
  return [pem === undefined ? bytes(base64) : bytes(pem.replace(/-----[A-Z ]+-----/g, ""))];
}

function namesOneOf(signers: readonly string[], entry: LogEntry): boolean {
  try {
    const own = signers.map((pem) =>
      pem.includes("BEGIN CERTIFICATE") ? new X509Certificate(pem).raw : createPublicKey(pem).export({ type: "spki", format: "der" }),
    );
    return signersIn(entry).some((der) => own.some((one) => one.equals(der)));
  } catch {
    return false; // the entry has not the form of its kind, or a key is none
  }
}
