import { createPublicKey } from "node:crypto";
import { logEntriesIn } from "@countersign/bundle";
import { http } from "@countersign/http";
import { keyidOf, parseEnvelope } from "@countersign/in-toto-attestation";
import type { Attached } from "@countersign/storage-oci";
import { claimsOf, signersNamedIn } from "@countersign/verify";
import { whatOf } from "./checked.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { Terminal } from "./terminal.ts";
import { attachedTo, type ImageOptions } from "./verify-image.ts";

/** The answer to `inspect --output json`. */
export interface Inspection {
  /** With its digest, where anything is attached. */
  readonly image: string;
  /** The tag that was looked up. */
  readonly resolvedFrom?: string;
  /** Never: `verify image` does that. */
  readonly verified: false;
  readonly attached: readonly Inspected[];
}

/** One signature or attestation, as it says itself. */
export interface Inspected extends Facts {
  /** Where it is. */
  readonly at: string;
  readonly layout: "tag" | "referrer";
  /** "image signature", a predicate type, or "unknown". */
  readonly what: string;
  /** Of the blob that holds it: bytes and digest. */
  readonly size: number;
  readonly digest: string;
  /** SHA-256 fingerprint, as ssh-keygen writes it, of the key that the envelope or the log entry names. */
  readonly key?: string;
  /** Of a bundle whose key nothing else names: base64 of the SHA-256 over its SPKI. */
  readonly keyHint?: string;
  readonly builder?: string;
}

export async function inspectImage(reference: string, options: ImageOptions, terminal: Terminal): Promise<Inspection | "no such tag"> {
  const wire = http({ insecure: options.insecure ?? false, env: terminal.env, userAgent: "countersign" });
  try {
    const attached = await attachedTo(reference, wire, options, terminal);
    if (attached === "no such tag") return attached;
    const digest = attached[0]?.digest;
    const isTag = digest !== undefined && !reference.includes("@");
    return {
      image: isTag ? `${reference}@${digest}` : reference,
      ...(isTag && { resolvedFrom: reference }),
      verified: false,
      attached: attached.map(inspected),
    };
  } finally {
    await wire.close();
  }
}

function inspected(one: Attached): Inspected {
  const { uri: at, layout, blob, found, payload } = one;
  const claims = claimsOf(payload);
  const key = found.signature.certificate === undefined ? keyNamedBy(one) : undefined;
  const builder = claims?.kind === "provenance" ? claims.builderId : undefined;
  return {
    ...{ at, layout, what: whatOf(claims), size: blob.size, digest: blob.digest },
    ...(key !== undefined ? { key } : one.hint !== undefined && { keyHint: one.hint }),
    ...(builder !== undefined && { builder }),
    ...factsOf(found),
  };
}

function keyNamedBy({ layer, envelope, found }: Attached): string | undefined {
  const keyid = layer && envelope === "dsse" ? keyidIn(layer.bytes) : undefined;
  return keyid || logEntriesIn(found.evidence).flatMap(signersNamedIn).map(fingerprint).find(Boolean);
}

function keyidIn(bytes: Uint8Array): string | undefined {
  try {
    return parseEnvelope(Buffer.from(bytes).toString("utf8")).signatures[0]?.keyid;
  } catch {
    return undefined;
  }
}

function fingerprint(der: Uint8Array): string | undefined {
  try {
    return keyidOf(createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" }));
  } catch {
    return undefined;
  }
}
