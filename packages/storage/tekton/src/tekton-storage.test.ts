import { generateKeyPairSync, sign } from "node:crypto";
import { messageOf } from "@countersign/bundle";
import type { Attestation, Payload } from "@countersign/core";
import { expect, test } from "vitest";
import { annotationBytes, maxAnnotationBytes, tektonStorage } from "./index.ts";

const call = { signal: new AbortController().signal };
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const run = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u" } as const;
const artifact = { kind: "taskrun", run, serviceAccount: "default", shortKey: "taskrun-u", fullKey: "tekton.dev-v1-TaskRun-u" } as const;

function attested(body: Uint8Array, envelope: Payload["envelope"] = "dsse"): Attestation {
  const payload: Payload = { format: "slsa/v1", envelope, mediaType: "application/vnd.in-toto+json", body, subjects: [] };
  const bytes = sign("sha256", messageOf(payload), privateKey);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return { artifact, payload, signature: { bytes, algorithm: "ecdsa-sha256", publicKey: pem }, evidence: [] };
}

test.each(["dsse", "none"] as const)("four annotations, which give the signature back: %s", async (envelope) => {
  const attestation = attested(Buffer.from("{}"), envelope);
  const { uris, annotations = {} } = await tektonStorage().store(attestation, call);
  expect(uris).toEqual(["TaskRun/ci/build#taskrun-u"]);
  expect(Object.keys(annotations).sort()).toEqual(
    ["cert", "chain", "payload", "signature"].map((what) => `chains.tekton.dev/${what}-taskrun-u`),
  );
  const found = await tektonStorage().find?.({ artifact, payload: attestation.payload, annotations }, call);
  expect(found?.map(({ signature }) => Buffer.from(signature.bytes).toString("hex"))).toEqual([
    Buffer.from(attestation.signature.bytes).toString("hex"),
  ]);
  expect(await tektonStorage().find?.({ artifact, payload: attestation.payload, annotations: {} }, call)).toEqual([]);
});

test("what Kubernetes would refuse is refused before, for good, with the sizes and the way out", async () => {
  const store = tektonStorage().store;
  const fits = await store(attested(Buffer.alloc(83_000)), call);
  expect(annotationBytes(fits.annotations ?? {})).toBeLessThanOrEqual(maxAnnotationBytes);
  const error = await store(attested(Buffer.alloc(86_000)), call).catch((error) => error);
  expect(error).toMatchObject({ code: "store.annotations-too-large", retry: "never" });
  expect(error.message).toMatch(/TaskRun ci\/build: .* takes \d+ bytes .* 262144 .* "oci"/);
});

test("keys and values count, in bytes", () => {
  expect(annotationBytes({ ab: "cd", é: "€" })).toBe(4 + 2 + 3);
});

test("an abort is prompt", async () => {
  const stopped = { signal: AbortSignal.abort("enough") };
  await expect(tektonStorage().store(attested(Buffer.from("{}")), stopped)).rejects.toBe("enough");
  await expect(tektonStorage().find?.({ ...attested(Buffer.from("{}")), annotations: {} }, stopped)).rejects.toBe("enough");
});
