import type { Formatter } from "@countersign/core";
import { goJson, type Image } from "@countersign/tekton";

/** The media type under which cosign keeps these bytes. */
export const simplesigningMediaType = "application/vnd.dev.cosign.simplesigning.v1+json";

/** The claim that cosign calls simple signing: this digest belongs to this repository. It is signed as it is, without an envelope. */
export function simplesigning(): Formatter<Image> {
  return {
    name: "simplesigning",
    format: ({ repository, digest }) => {
      const text = goJson({
        critical: {
          identity: { "docker-reference": repository },
          image: { "docker-manifest-digest": `sha256:${digest}` },
          type: "cosign container image signature",
        },
        optional: null,
      });
      return {
        format: "simplesigning",
        envelope: "none",
        mediaType: simplesigningMediaType,
        body: new TextEncoder().encode(text),
        subjects: [{ name: repository, digest: { sha256: digest } }],
      };
    },
  };
}
