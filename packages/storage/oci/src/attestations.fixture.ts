import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { messageOf, simplesigningMediaType } from "@countersign/bundle";
import type { Attestation, Payload, Subject } from "@countersign/core";
import { inTotoPayloadType } from "@countersign/in-toto-attestation";

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}
export function testKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() };
}

export const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
export const image = (name: string, seed = "image"): Subject => ({ name, digest: { sha256: digestOf(seed) } });

export function statement(subjects: readonly Subject[], more = ""): Payload {
  const predicateType = "https://slsa.dev/provenance/v0.2";
  const body = Buffer.from(
    JSON.stringify({ _type: "https://in-toto.io/Statement/v0.1", predicateType, subject: subjects, predicate: { more } }),
  );
  return { format: "slsa/v1", envelope: "dsse", mediaType: inTotoPayloadType, predicateType, body, subjects };
}

export function simplesigning(subject: Subject): Payload {
  const critical = {
    identity: { "docker-reference": subject.name },
    image: { "docker-manifest-digest": `sha256:${subject.digest["sha256"]}` },
    type: "cosign container image signature",
  };
  const body = Buffer.from(JSON.stringify({ critical, optional: null }));
  return { format: "simplesigning", envelope: "none", mediaType: simplesigningMediaType, body, subjects: [subject] };
}

/** Signed for real, each time with another nonce. */
export function attested(payload: Payload, { privateKey, publicKey }: TestKey, more: Partial<Attestation["signature"]> = {}): Attestation {
  const bytes = sign("sha256", messageOf(payload), privateKey);
  const run = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u" } as const;
  return {
    artifact: { kind: "taskrun", run, serviceAccount: "builder", shortKey: "taskrun-u", fullKey: "tekton.dev-v1-TaskRun-u" },
    payload,
    signature: { bytes, algorithm: "ecdsa-sha256", publicKey, ...more },
    evidence: [],
  };
}
