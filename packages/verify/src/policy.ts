/** What is wanted of a payload whose signature is sound. An absent field asks for nothing, unless it says otherwise. */
export interface Policy {
  /** "provenance": an in-toto statement in a DSSE envelope. "image-signature": cosign's simplesigning payload, or its sign/v1 statement. */
  readonly kind?: "provenance" | "image-signature";
  /** "sha256:<hex>": one of the subjects, or the image of a signature, must have it. */
  readonly subject?: string;
  /** One of these predicate types, whole URIs. */
  readonly predicateTypes?: readonly string[];
  /** The run's uid, for statements that name one (SLSA v1): those of another run are refused. */
  readonly invocationId?: string;
  /** One of these builder ids. */
  readonly builderIds?: readonly string[];
  /** Whose certificates count. Absent: no certificate does, only the trusted keys. */
  readonly identity?: IdentityPolicy;
  /** Whether a trusted log must have taken up the signature. Default: "required" where TrustMaterial.sigstore is given, else "ignored". */
  readonly log?: "required" | "ignored";
  /** Whether a trusted certificate-transparency log must vouch for the certificate. Default "required". */
  readonly certificateLog?: "required" | "ignored";
  /**
   * RFC 3339: the time at which to judge a certificate or a timed key when nobody vouches for the time of signing. Absent: then it is
   * refused. There is no clock in here.
   */
  readonly at?: string;
}

/** One of the identities in the certificate, and the issuer of the token it was given for: each exactly, or by a pattern found anywhere in it. */
export interface IdentityPolicy {
  readonly certificateIdentity?: string;
  readonly certificateIdentityRegexp?: string;
  readonly oidcIssuer?: string;
  readonly oidcIssuerRegexp?: string;
}
