import { X509Certificate } from "node:crypto";
import { dsseEnvelope, sha256 } from "@countersign/bundle";
import { CountersignError, type Evidence, type Found, type LogEntry } from "@countersign/core";
import type { Http } from "@countersign/http";

/** What stands where a signature was found. */
export interface Attachment {
  readonly found: Found;
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly envelope: "dsse" | "none";
  /** The envelope as it lay there, byte for byte; the log's entry is about exactly this text. */
  readonly envelopeText?: string;
}

/**
 * Asks a log (Rekor v1) for its entries about a signature that brought none along. What it answers is as little believed as anything else.
 *
 * @throws CountersignError "read.log"; HttpError
 */
export async function logEntriesFor(
  attachment: Attachment,
  signers: readonly string[],
  url: string,
  wire: Http,
  signal: AbortSignal,
): Promise<readonly Evidence[]> {
  const entries = signers.flatMap((pem) => proposals(attachment, pem)).slice(0, 10);
  const { status, body } = await wire.request({
    method: "POST",
    url: `${url.replace(/\/+$/, "")}/api/v1/log/entries/retrieve`,
    headers: { accept: "application/json", "content-type": "application/json" },
    body: JSON.stringify({ entries }),
    signal,
    tries: 3,
    totalMs: 20_000,
    maxBytes: 4 * 2 ** 20,
  });
  // a log of another kind (v2) has no such door
  if (status === 404) return [];
  if (status !== 200) throw unanswered(url, `it answered ${status}`);
  try {
    return (JSON.parse(Buffer.from(body).toString()) as readonly Readonly<Record<string, Loose>>[])
      .flatMap((found) => Object.values(found))
      .map((value) => ({ kind: "log-entry", entry: entryFrom(value) }));
  } catch {
    throw unanswered(url, "what it answered are no log entries");
  }
}

const unanswered = (url: string, why: string): CountersignError =>
  new CountersignError("read.log", `the log ${url} could not be asked: ${why}; check --rekor-url, or give --offline`, { retry: "wait" });

/** As cosign and Tekton Chains upload: the envelope with or without the keyid, and the hash of what has no envelope. */
function proposals({ found, payload, payloadType, envelope, envelopeText }: Attachment, pem: string): readonly object[] {
  const verifier = base64(pem);
  const { bytes } = found.signature;
  if (envelope === "none") {
    const data = { hash: { algorithm: "sha256", value: sha256(payload) } };
    const signature = { content: base64(bytes), publicKey: { content: verifier } };
    return [{ apiVersion: "0.0.1", kind: "hashedrekord", spec: { data, signature } }];
  }
  const publicKey = pem.includes("CERTIFICATE") ? String(new X509Certificate(pem).publicKey.export({ type: "spki", format: "pem" })) : pem;
  const named = dsseEnvelope({
    payload: { format: "", envelope: "dsse", mediaType: payloadType, body: payload, subjects: [] },
    signature: { bytes, algorithm: "ecdsa-sha256", publicKey },
  });
  const bare = JSON.stringify({ payload: base64(payload), payloadType, signatures: [{ sig: base64(bytes) }] });
  const texts = envelopeText === undefined ? [named, bare] : [envelopeText];
  return texts.map((text) => ({
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: { proposedContent: { envelope: text, verifiers: [verifier] } },
  }));
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; what is missing makes no entry
type Loose = Readonly<Record<string, any>>;

function entryFrom({ body, integratedTime, logID, logIndex, verification = {} }: Loose): LogEntry {
  const { kind, apiVersion } = JSON.parse(Buffer.from(body, "base64").toString()) as Loose;
  const { inclusionProof: proof, signedEntryTimestamp } = verification;
  const fromHex = (text: string): string => Buffer.from(text, "hex").toString("base64");
  return {
    logIndex: String(logIndex),
    logId: { keyId: fromHex(logID) },
    kindVersion: { kind: String(kind), version: String(apiVersion) },
    integratedTime: String(integratedTime),
    ...(signedEntryTimestamp && { inclusionPromise: { signedEntryTimestamp: String(signedEntryTimestamp) } }),
    ...(proof && {
      inclusionProof: {
        logIndex: String(proof.logIndex),
        rootHash: fromHex(proof.rootHash),
        treeSize: String(proof.treeSize),
        hashes: (proof.hashes as readonly string[]).map(fromHex),
        checkpoint: { envelope: String(proof.checkpoint) },
      },
    }),
    canonicalizedBody: String(body),
  };
}

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString("base64");
