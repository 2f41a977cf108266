import type { Attestation, Evidence } from "@countersign/core";
import { expect, test } from "vitest";
import { foundInAnnotations, runAnnotations } from "./run-annotations.ts";

const entry: Evidence = {
  kind: "log-entry",
  entry: {
    logIndex: "0",
    logId: { keyId: "aWQ=" },
    kindVersion: { kind: "dsse", version: "0.0.1" },
    integratedTime: "1767225600",
    inclusionPromise: { signedEntryTimestamp: "c2V0" },
    inclusionProof: {
      logIndex: "0",
      rootHash: "cm9vdA==",
      treeSize: "1",
      hashes: [],
      checkpoint: { envelope: "log\n1\nroot\n\n— log sig\n" },
    },
    canonicalizedBody: "e30=",
  },
};
const token: Evidence = { kind: "timestamp", token: "dG9rZW4=" };
const attestation = (evidence: readonly Evidence[], envelope: "dsse" | "none"): Attestation => ({
  artifact: {
    kind: "taskrun",
    run: { kind: "TaskRun", namespace: "ci", name: "build", uid: "u" },
    serviceAccount: "",
    shortKey: "taskrun-u",
    fullKey: "u",
  },
  payload: { format: "x", envelope, mediaType: "application/vnd.in-toto+json", body: Buffer.from("{}"), subjects: [] },
  signature: { bytes: Buffer.from("signature"), algorithm: "ecdsa-sha256", publicKey },
  evidence,
});
const publicKey = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

test.each(["dsse", "none"] as const)("what logs and timestamp authorities said comes back whole (%s)", (envelope) => {
  const one = attestation([entry, token], envelope);
  const annotations = runAnnotations(one);
  const [found] = foundInAnnotations(annotations, one.artifact, one.payload);
  expect(found?.evidence).toEqual([entry, token]);
  expect(Object.keys(annotations)).toHaveLength(5);
  const damaged = { ...annotations, "chains.tekton.dev/evidence-taskrun-u": Buffer.from("{").toString("base64") };
  expect(foundInAnnotations(damaged, one.artifact, one.payload)[0]?.evidence).toEqual([]);
  const strange = { ...annotations, "chains.tekton.dev/evidence-taskrun-u": Buffer.from('{"tlogEntries":5}').toString("base64") };
  expect(foundInAnnotations(strange, one.artifact, one.payload)[0]?.evidence).toEqual([]);
});

test("without any there are the four annotations of Tekton Chains, and no more", () => {
  const one = attestation([], "dsse");
  expect(
    Object.keys(runAnnotations(one))
      .map((key) => key.replace("chains.tekton.dev/", ""))
      .sort(),
  ).toEqual(["cert-taskrun-u", "chain-taskrun-u", "payload-taskrun-u", "signature-taskrun-u"]);
  expect(foundInAnnotations(runAnnotations(one), one.artifact, one.payload)[0]?.evidence).toEqual([]);
});
