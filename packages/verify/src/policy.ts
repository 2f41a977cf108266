/** What is wanted of a payload whose signature is sound. An absent field asks for nothing. */
export interface Policy {
  /** "provenance": an in-toto statement in a DSSE envelope. "image-signature": cosign's simplesigning payload. */
  readonly kind?: "provenance" | "image-signature";
  /** "sha256:<hex>": one of the subjects, or the image of a signature, must have it. */
  readonly subject?: string;
  /** One of these predicate types, whole URIs. */
  readonly predicateTypes?: readonly string[];
  /** The run's uid, for statements that name one (SLSA v1): those of another run are refused. */
  readonly invocationId?: string;
  /** One of these builder ids. */
  readonly builderIds?: readonly string[];
}
