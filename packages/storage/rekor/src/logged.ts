import { hash } from "node:crypto";
import { messageOf, sameBytes, sha256 } from "@countersign/bundle";
import type { FoundSignature, LogEntry } from "@countersign/core";
import type { Signed } from "./log.ts";
import { derOf, hashIn, verifierOf } from "./verifier.ts";

/** What an entry of any kind says: which bytes, which signature, by whom. */
export interface Logged {
  /** Of the payload (dsse, intoto) or of the message that was signed (hashedrekord); lower-case hex. */
  readonly over: "payload" | "message";
  readonly digest: string;
  readonly signature: Uint8Array;
  /** Base64 of the DER of a certificate or of an SPKI. */
  readonly verifier: string;
  readonly isCertificate: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; every value is compared with ours or checked where it is used
type Loose = Readonly<Record<string, any>>;

/** Undefined for kinds that we do not make, for entries with several signatures and for damaged ones. */
export function loggedIn({ canonicalizedBody }: Pick<LogEntry, "canonicalizedBody">): Logged | undefined {
  try {
    const { kind, apiVersion, spec } = JSON.parse(Buffer.from(canonicalizedBody, "base64").toString()) as Loose;
    const name = `${kind} ${apiVersion}`;
    return Object.hasOwn(readers, name) ? readers[name]?.(spec) : undefined;
  } catch {
    return undefined;
  }
}

const readers: Readonly<Record<string, (spec: Loose) => Logged | undefined>> = {
  "dsse 0.0.1": ({ payloadHash, signatures: [only, ...others] }) =>
    others.length > 0
      ? undefined
      : { over: "payload", digest: payloadHash.value, signature: bytes(only.signature), ...pem(text(only.verifier)) },
  "intoto 0.0.2": ({ content: { payloadHash, envelope } }) => {
    const [only, ...others] = envelope.signatures;
    if (others.length > 0) return undefined;
    return { over: "payload", digest: payloadHash.value, signature: bytes(text(only.sig)), ...pem(text(only.publicKey)) };
  },
  "hashedrekord 0.0.1": ({ data, signature }) => ({
    over: "message",
    digest: data.hash.value,
    signature: bytes(signature.content),
    ...pem(text(signature.publicKey.content)),
  }),
  "hashedrekord 0.0.2": ({ hashedRekordV002: { data, signature } }) => {
    const { publicKey, x509Certificate } = signature.verifier;
    return {
      over: "message",
      digest: bytes(data.digest).toString("hex"),
      signature: bytes(signature.content),
      verifier: bytes((publicKey ?? x509Certificate).rawBytes).toString("base64"),
      isCertificate: x509Certificate !== undefined,
    };
  },
};

const bytes = (base64: string): Buffer => Buffer.from(base64, "base64");
const text = (base64: string): string => bytes(base64).toString();
const pem = (said: string): Pick<Logged, "verifier" | "isCertificate"> => ({
  verifier: derOf(said),
  isCertificate: said.includes("BEGIN CERTIFICATE"),
});

/** Whether it is this payload, this signature and this key. */
export function isAbout(entry: Pick<LogEntry, "canonicalizedBody">, { payload, signature }: Signed): boolean {
  const logged = loggedIn(entry);
  if (!logged || !sameBytes(logged.signature, signature.bytes) || logged.verifier !== derOf(verifierOf(signature))) return false;
  const algorithm = hashIn(signature.algorithm);
  if (logged.over === "payload") return logged.digest === sha256(payload.body);
  return algorithm !== undefined && logged.digest === hash(algorithm, messageOf(payload));
}

/** The signature inside an entry, with its key or certificate. */
export function signatureIn({ signature, verifier, isCertificate }: Logged): FoundSignature {
  const lines = verifier.replaceAll(/.{64}(?=.)/g, "$&\n");
  const label = isCertificate ? "CERTIFICATE" : "PUBLIC KEY";
  const pem = `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
  return { bytes: signature, ...(isCertificate ? { certificate: pem } : { publicKey: pem }) };
}
