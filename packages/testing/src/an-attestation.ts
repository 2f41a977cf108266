import { createHash } from "node:crypto";
import { messageOf } from "@countersign/bundle";
import type { Artifact, Attestation, Evidence, Payload, Subject } from "@countersign/core";
import { inTotoPayloadType, statementTypeV1 } from "@countersign/in-toto-attestation";
import { fakeSigner } from "./fake-signer.ts";

export interface AnAttestationOptions {
  /** "registry.example/team/app", or a test registry's host and a repository. */
  readonly repository?: string;
  /** Tells one payload from another. */
  readonly builder?: string;
  /** dsse: a provenance. none: a simplesigning payload. Default dsse. */
  readonly envelope?: "dsse" | "none";
  readonly evidence?: readonly Evidence[];
}

const signer = fakeSigner();

/** A whole attestation about an image, really signed: the same options give the same one within a process. */
export async function anAttestation(options: AnAttestationOptions = {}): Promise<Attestation> {
  const { repository = "registry.example/team/app", builder = "https://builder.example", envelope = "dsse", evidence = [] } = options;
  const hex = createHash("sha256").update(repository).digest("hex");
  const subject: Subject = { name: repository, digest: { sha256: hex } };
  const artifact: Artifact = {
    kind: "image",
    run: { kind: "TaskRun", namespace: "default", name: "build", uid: "6f0bd1b4-7c2e-4a4e-9a3c-0d0a6b6e9f11" },
    serviceAccount: "default",
    shortKey: hex.slice(0, 12),
    fullKey: `${repository}@sha256:${hex}`,
  };
  const payload = envelope === "dsse" ? provenance(subject, builder) : simplesigning(subject, builder);
  const signature = await signer.sign(messageOf(payload), { signal: new AbortController().signal });
  return { artifact, payload, signature, evidence };
}

function provenance(subject: Subject, builder: string): Payload {
  const predicateType = "https://slsa.dev/provenance/v1";
  const predicate = {
    buildDefinition: { buildType: "https://tekton.dev/chains/v2/slsa-tekton" },
    runDetails: { builder: { id: builder } },
  };
  const body = Buffer.from(JSON.stringify({ _type: statementTypeV1, predicateType, subject: [subject], predicate }));
  return { format: "slsa/v2alpha4", envelope: "dsse", mediaType: inTotoPayloadType, predicateType, body, subjects: [subject] };
}

function simplesigning(subject: Subject, builder: string): Payload {
  const critical = {
    identity: { "docker-reference": subject.name },
    image: { "docker-manifest-digest": `sha256:${subject.digest["sha256"]}` },
    type: "cosign container image signature",
  };
  const body = Buffer.from(JSON.stringify({ critical, optional: { builder } }));
  return {
    format: "simplesigning",
    envelope: "none",
    mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
    body,
    subjects: [subject],
  };
}
