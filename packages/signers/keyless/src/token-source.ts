import type { Call } from "@countersign/core";

/** An OIDC token that says who we are, and where it came from, for the sentences of errors. */
export interface IdentityToken {
  readonly token: string;
  /** "the file /var/run/sigstore/cosign/oidc-token", "GitHub Actions". */
  readonly source: string;
  /** Asking costs no more than reading a file: the signer looks again from time to time whether somebody else is meant now. */
  readonly cheap?: boolean;
  /** The same token will come each time: waiting for a fresher one is no use. */
  readonly fixed?: boolean;
}

/** Asked for each certificate. Throws CountersignError "sign.…": "hold" when configuration must change, "wait" for an outage. */
export type TokenSource = (call: Call) => Promise<IdentityToken>;
