import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { parseEnvelope, preAuthEncoding } from "@countersign/in-toto-attestation";
import { json } from "@sigstore/core";
import { isSignatureOverHash, type Sha2 } from "./prehashed.ts";
import { type Loose, parsed, Refused } from "./rekor-refusal.ts";

/** What a log keeps of a proposal. */
export interface Kept {
  readonly kind: string;
  readonly version: string;
  /** Canonical JSON: the leaf. */
  readonly body: string;
  /** What it can be searched by: "sha256:<hex>", hex of a key, an e-mail address or URI. */
  readonly index: readonly string[];
}

export class Unacceptable extends Error {}

/**
 * Judges and canonicalises a proposal as Rekor v1 does.
 *
 * @throws Unacceptable, also for signatures that do not verify: envelopes with SHA-256 whatever the key, hashes with the hash they name
 */
export function keptOf(proposal: unknown): Kept {
  const { kind, apiVersion, spec } = (proposal ?? {}) as Loose;
  const canonicalise = Object.hasOwn(kinds, `${kind} ${apiVersion}`) ? kinds[`${kind} ${apiVersion}`] : undefined;
  if (!canonicalise) throw new Unacceptable(`entry kind ${kind} ${apiVersion} is not supported`);
  try {
    const { spec: kept, index } = canonicalise(spec);
    return { kind, version: apiVersion, body: json.canonicalize({ apiVersion, kind, spec: kept }), index };
  } catch (error) {
    throw error instanceof Unacceptable ? error : new Unacceptable("the proposal is damaged");
  }
}

/** Judges what is posted as a new entry; the same bytes again are judged as before. @throws Refused, Unacceptable */
export function judge(): (text: string) => Kept {
  const judged = new Map<string, Kept>();
  return (text) => {
    const name = sha256(text);
    const kept = judged.get(name) ?? keptOf(proposalIn(text));
    judged.set(name, kept);
    return kept;
  };
}

function proposalIn(text: string): Loose {
  const proposal = parsed(text);
  if (["dsse", "intoto", "hashedrekord"].includes(proposal["kind"]) && proposal["spec"]) return proposal;
  throw new Refused(422, "proposedEntry in body is none");
}

type Canonicalise = (spec: Loose) => { readonly spec: object; readonly index: readonly string[] };

const kinds: Readonly<Record<string, Canonicalise>> = {
  "dsse 0.0.1": ({ proposedContent: { envelope: text, verifiers } }) => {
    const envelope = parseEnvelope(text);
    const keys = (verifiers as readonly string[]).map(keyFrom);
    const payload = Buffer.from(envelope.payload, "base64");
    const signatures = envelope.signatures
      .map(({ sig }) => ({ signature: sig, verifier: base64(signerOf(envelope.payloadType, payload, sig, keys).pem) }))
      .sort((a, b) => (a.signature < b.signature ? -1 : 1));
    const [payloadHash, envelopeHash] = [sha256(payload), sha256(text)];
    return {
      spec: {
        envelopeHash: { algorithm: "sha256", value: envelopeHash },
        payloadHash: { algorithm: "sha256", value: payloadHash },
        signatures,
      },
      index: [...keys.flatMap(namesOf), `sha256:${payloadHash}`, `sha256:${envelopeHash}`, ...digestsIn(payload)],
    };
  },
  "intoto 0.0.2": ({ content: { envelope, hash } }) => {
    const { payloadType, payload: text, signatures } = envelope as Loose;
    const payload = Buffer.from(Buffer.from(text, "base64").toString(), "base64");
    if (!/^[0-9a-f]{64}$/.test(hash?.value)) throw new Unacceptable("missing envelope digest");
    const keys = (signatures as readonly Loose[]).map(({ publicKey }) => keyFrom(publicKey));
    for (const { sig } of signatures as readonly Loose[]) signerOf(payloadType, payload, Buffer.from(sig, "base64").toString(), keys);
    const payloadHash = sha256(payload);
    const kept = (signatures as readonly Loose[]).map(({ keyid, sig, publicKey }) => ({ ...(keyid && { keyid }), publicKey, sig }));
    return {
      spec: {
        content: {
          envelope: { payloadType, signatures: kept },
          hash: { algorithm: "sha256", value: hash.value },
          payloadHash: { algorithm: "sha256", value: payloadHash },
        },
      },
      index: [...keys.flatMap(namesOf), `sha256:${payloadHash}`, ...digestsIn(payload)],
    };
  },
  "hashedrekord 0.0.1": ({ data: { hash }, signature: { content, publicKey } }) => {
    const { algorithm = "sha256", value } = hash as { readonly algorithm?: Sha2; readonly value: string };
    const signer = keyFrom(publicKey.content);
    if (!isPermitted(signer.key, algorithm)) throw new Unacceptable("entry algorithms are not allowed");
    const digest = Buffer.from(value, "hex");
    if (digest.length * 8 !== Number(algorithm.slice(3))) throw new Unacceptable("invalid value for hash");
    if (!isSignatureOverHash(signer.key, digest, algorithm, Buffer.from(content, "base64"))) throw new Unacceptable("verifying signature");
    const [pemHash, ...names] = namesOf(signer);
    return {
      spec: { data: { hash: { algorithm, value } }, signature: { content, publicKey: { content: base64(signer.pem) } } },
      index: [...(pemHash ? [pemHash.slice("sha256:".length)] : []), ...names, `${algorithm}:${value}`],
    };
  },
};

interface SigningKey {
  /** As Rekor writes it: 64 columns, one newline at the end. */
  readonly pem: string;
  readonly key: KeyObject;
  readonly certificate?: X509Certificate;
}

function keyFrom(text: string): SigningKey {
  const pem = Buffer.from(text, "base64").toString();
  if (!pem.includes("BEGIN CERTIFICATE")) {
    const key = createPublicKey(pem);
    return { key, pem: key.export({ type: "spki", format: "pem" }).toString() };
  }
  const certificate = new X509Certificate(pem);
  return { key: certificate.publicKey, pem: certificate.toString(), certificate };
}

/** The key that made an envelope's signature, whatever it is called there. */
function signerOf(payloadType: string, payload: Uint8Array, sig: string, keys: readonly SigningKey[]): SigningKey {
  const message = preAuthEncoding(payloadType, payload);
  const signer = keys.find(({ key }) => {
    const hash = key.asymmetricKeyType === "ed25519" ? null : "sha256";
    return verify(hash, message, key, Buffer.from(sig, "base64"));
  });
  if (!signer) throw new Unacceptable("all signatures must have a key that verifies it");
  return signer;
}

/** What Rekor and Rekor v2 permit by default: each curve with its own hash, RSA of three sizes with SHA-256, Ed25519 prehashed. */
export function isPermitted(key: KeyObject, algorithm: string): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "rsa") return algorithm === "sha256" && [2048, 3072, 4096].includes(details?.modulusLength ?? 0);
  const hashes: Readonly<Record<string, string>> = { prime256v1: "sha256", secp384r1: "sha384", secp521r1: "sha512", ed25519: "sha512" };
  return hashes[details?.namedCurve ?? type ?? ""] === algorithm;
}

/** The key's hash, then the names in its certificate. */
function namesOf({ pem, certificate }: SigningKey): readonly string[] {
  const names = certificate?.subjectAltName?.split(", ").map((name) => name.replace(/^(email|URI|DNS):/, "").toLowerCase()) ?? [];
  return [`sha256:${sha256(pem)}`, ...names];
}

function digestsIn(payload: Buffer): readonly string[] {
  try {
    const { subject = [] } = JSON.parse(payload.toString()) as { subject?: readonly { digest?: Readonly<Record<string, string>> }[] };
    return subject.flatMap(({ digest = {} }) => Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`));
  } catch {
    return [];
  }
}

const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");
const base64 = (text: string): string => Buffer.from(text).toString("base64");
