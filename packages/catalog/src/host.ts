import type { TrustSource } from "@countersign/core";
import type { Http } from "@countersign/http";
import type { KeySource } from "@countersign/signers-x509";
import type { CredentialSource } from "@countersign/storage-oci";
import type { SigstoreTrust } from "@countersign/verify";

/** What the surroundings lend to plug-ins: a pod, a laptop, a test's literal. */
export interface CatalogHost {
  /** The signing key as it stands now. */
  readonly keys: KeySource;
  /** Where identity tokens may be found: the names of sigstore's and of the clouds' variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Registry credentials for a run, from the sources that storage.oci.credential-sources names, in this order. */
  credentials(sources: readonly string[]): CredentialSource;
  /** The way to registries: hosts that runs name, and that are not to be trusted. */
  registryHttp(access: RegistryAccess): Http;
  /** The way to Fulcio, logs, timestamp authorities and TUF repositories: hosts that the administrator names. */
  http(): Http;
}

export interface RegistryAccess {
  /** Without certificate verification, and without TLS where there is none: everywhere, or for the hosts of this list. */
  readonly insecure: boolean | readonly string[];
  /** Hosts, "*.suffixes" and address ranges; not empty: private addresses are refused unless they are listed. */
  readonly allowedHosts: readonly string[];
}

/** What plug-ins are lent for as long as one configuration is in force. */
export interface PlanHost extends CatalogHost {
  /** Whose certificates, log entries and timestamps are believed; undefined where the configuration names nobody. */
  readonly trust: TrustSource<SigstoreTrust> | undefined;
}
