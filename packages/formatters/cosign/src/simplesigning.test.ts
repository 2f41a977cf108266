import { imagesOf, parseRun } from "@countersign/tekton";
import { expect, test } from "vitest";
import { simplesigning } from "./simplesigning.ts";

test("says that a digest belongs to a repository, byte for byte as cosign does", () => {
  const hex = "1".repeat(64);
  const [image] = imagesOf(
    parseRun(JSON.stringify({ kind: "TaskRun", status: { results: [{ name: "IMAGES", value: `ab@sha256:${hex}` }] } })),
  );
  const payload = image && simplesigning().format(image);
  expect(new TextDecoder().decode(payload?.body)).toBe(
    `{"critical":{"identity":{"docker-reference":"index.docker.io/library/ab"},"image":{"docker-manifest-digest":"sha256:${hex}"},"type":"cosign container image signature"},"optional":null}`,
  );
  expect(payload).toMatchObject({
    format: "simplesigning",
    envelope: "none",
    mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
  });
  expect(payload?.subjects).toEqual([{ name: "index.docker.io/library/ab", digest: { sha256: hex } }]);
});
