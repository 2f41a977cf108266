import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { dsseEnvelope, messageOf, sha256 } from "@countersign/bundle";
import type { Evidence, Found, LogEntry, Payload, Signature } from "@countersign/core";
import { type Fulcio, type Rekor, type TimestampAuthority, trustedRoot } from "@countersign/testing";

export const somebody = "https://example.test/somebody";

/** A key and the certificate that Fulcio gives for it. */
export interface Holder {
  readonly privateKey: KeyObject;
  readonly certificate: string;
  readonly chain: string;
}

export async function certified(ca: Fulcio, claims?: Readonly<Record<string, unknown>>, subject: string = somebody): Promise<Holder> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = {
    publicKey: { content: Buffer.from(publicKey.export({ type: "spki", format: "pem" })).toString("base64") },
    signedEmailAddress: sign("sha256", Buffer.from(subject), privateKey).toString("base64"),
    certificateSigningRequest: null,
  };
  const headers = { authorization: `Bearer ${ca.issuer.token(claims)}` };
  const answer = await fetch(`${ca.url}/api/v1/signingCert`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  const [certificate = "", ...chain] = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? [];
  return { privateKey, certificate, chain: chain.join("") };
}

export const spki = (key: KeyObject): string => createPublicKey(key).export({ type: "spki", format: "pem" }).toString();

export function signed(payload: Payload, { privateKey, certificate, chain }: Pick<Holder, "privateKey"> & Partial<Holder>): Signature {
  const bytes = sign("sha256", messageOf(payload), privateKey);
  const kept = { ...(certificate && { certificate }), ...(chain && { chain }) };
  return { bytes, algorithm: "ecdsa-sha256", publicKey: spki(privateKey), ...kept };
}

export const foundOf = (payload: Payload, { bytes, certificate, chain }: Signature, evidence: readonly Evidence[] = []): Found => ({
  digest: sha256(payload.body),
  signature: { bytes, ...(certificate && { certificate }), ...(chain && { chain }) },
  evidence,
});

/** What the log says about a signature: an envelope or, of a simplesigning document, its hash. */
export async function logged(log: Rekor, payload: Payload, signature: Signature): Promise<Evidence> {
  const pem = Buffer.from(signature.certificate ?? signature.publicKey).toString("base64");
  const proposal =
    payload.envelope === "dsse"
      ? { kind: "dsse", spec: { proposedContent: { envelope: dsseEnvelope({ payload, signature }), verifiers: [pem] } } }
      : {
          kind: "hashedrekord",
          spec: {
            data: { hash: { algorithm: "sha256", value: sha256(payload.body) } },
            signature: { content: Buffer.from(signature.bytes).toString("base64"), publicKey: { content: pem } },
          },
        };
  const body = JSON.stringify({ apiVersion: "0.0.1", ...proposal });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${log.url}/api/v1/log/entries`, { method: "POST", headers, body });
  if (answer.status !== 201) throw new Error(await answer.text());
  const [entry] = Object.values((await answer.json()) as Readonly<Record<string, Loose>>);
  return { kind: "log-entry", entry: entryFrom(entry ?? {}) };
}

// biome-ignore lint/suspicious/noExplicitAny: the answer of a server that is ours
type Loose = Readonly<Record<string, any>>;

function entryFrom({ body, integratedTime, logID, logIndex, verification }: Loose): LogEntry {
  const { kind, apiVersion } = JSON.parse(Buffer.from(body, "base64").toString());
  const { inclusionProof: proof, signedEntryTimestamp } = verification;
  const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
  return {
    logIndex: String(logIndex),
    logId: { keyId: base64(logID) },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(proof.logIndex),
      rootHash: base64(proof.rootHash),
      treeSize: String(proof.treeSize),
      hashes: proof.hashes.map(base64),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: body,
  };
}

/** The token of a timestamp authority over a signature. */
export async function stamped(authority: TimestampAuthority, { bytes }: Pick<Signature, "bytes">): Promise<Evidence> {
  const hash = createHash("sha256").update(bytes).digest("hex");
  // RFC 3161 section 2.4.1: version 1, the hash and its algorithm, and a wish for the certificate
  const query = Buffer.from(`3039020101303130${"0d06096086480165030402010500"}0420${hash}0101ff`, "hex");
  const headers = { "content-type": "application/timestamp-query" };
  const answer = await fetch(`${authority.url}/api/v1/timestamp`, { method: "POST", body: query, headers });
  if (!answer.ok) throw new Error(await answer.text());
  return { kind: "timestamp", token: Buffer.from(await answer.arrayBuffer()).toString("base64") };
}

/** The trusted_root.json of these servers. */
export const rootOf = (ca: Fulcio, log: Rekor): string =>
  trustedRoot({ certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }], ctLogs: ca.ctLogs, logs: log.logs });
