import type { Formatter } from "@countersign/core";
import { inTotoPayloadType, statementTypeV1 } from "@countersign/in-toto-attestation";
import type { Image } from "@countersign/tekton";

/** The predicate type by which cosign 3 knows an image signature among the bundles of an image. */
export const signV1PredicateType = "https://sigstore.dev/cosign/sign/v1";

/**
 * What `cosign sign` puts into a sigstore bundle: a statement that says no more than the digest. Byte for byte cosign's own, so that
 * `cosign verify` accepts it where nothing else is attached.
 */
export function signV1(): Formatter<Image> {
  return {
    name: "sign-v1",
    format: ({ repository, digest }) => {
      const subject = [{ digest: { sha256: digest }, annotations: {} }];
      const text = JSON.stringify({ _type: statementTypeV1, subject, predicateType: signV1PredicateType, predicate: {} });
      return {
        format: "sign-v1",
        envelope: "dsse",
        mediaType: inTotoPayloadType,
        predicateType: signV1PredicateType,
        body: new TextEncoder().encode(text),
        subjects: [{ name: repository, digest: { sha256: digest } }],
      };
    },
  };
}
