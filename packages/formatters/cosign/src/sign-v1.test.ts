import { imagesOf, parseRun } from "@countersign/tekton";
import { expect, test } from "vitest";
import { signV1 } from "./sign-v1.ts";

test("says what `cosign sign` says in a bundle, byte for byte", () => {
  const hex = "1".repeat(64);
  const [image] = imagesOf(
    parseRun(JSON.stringify({ kind: "TaskRun", status: { results: [{ name: "IMAGES", value: `r.example/ab@sha256:${hex}` }] } })),
  );
  const payload = image && signV1().format(image);
  expect(new TextDecoder().decode(payload?.body)).toBe(
    `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${hex}"},"annotations":{}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`,
  );
  expect(payload).toMatchObject({
    envelope: "dsse",
    mediaType: "application/vnd.in-toto+json",
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    subjects: [{ name: "r.example/ab", digest: { sha256: hex } }],
  });
});
