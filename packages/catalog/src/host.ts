import type { Http } from "@countersign/http";
import type { KeySource } from "@countersign/signers-x509";
import type { CredentialSource } from "@countersign/storage-oci";

/** What the surroundings lend to plug-ins: a pod, a laptop, a test's literal. */
export interface CatalogHost {
  /** The signing key as it stands now. */
  readonly keys: KeySource;
  /** Registry credentials for a run. */
  readonly credentials: CredentialSource;
  /** The HTTP layer for hosts that runs and configuration name. insecure: without certificate verification. */
  http(options: { readonly insecure: boolean }): Http;
}
