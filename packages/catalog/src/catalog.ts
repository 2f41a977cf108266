import type { ChainsConfig } from "@countersign/config";
import type { Formatter, Signer, StorageBackend, Witness } from "@countersign/core";
import { signV1, simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { slsaV1 } from "@countersign/formatters-slsa-v1";
import { identityTokens, keylessSigner } from "@countersign/signers-keyless";
import { x509Signer } from "@countersign/signers-x509";
import { type OciOptions, ociStorage } from "@countersign/storage-oci";
import { rekorWitness, type TimestampOptions, timestampWitness } from "@countersign/storage-rekor";
import { tektonStorage } from "@countersign/storage-tekton";
import type { Image, Run } from "@countersign/tekton";
import type { PlanHost } from "./host.ts";

/** What a formatter of runs is told. */
export interface FormatterChoice {
  readonly format: string;
  readonly builderId: string;
  readonly buildType: string;
  readonly deepInspection: boolean;
}

/** What a signer is told beside configuration and host. */
export interface SignerChoice {
  /** Its signatures leave the run, so that a retry must give the same bytes or double them. */
  readonly leavesTheRun: boolean;
  /** A log or a timestamp authority will see each of them. */
  readonly witnessed: boolean;
}

/** Config names to factories. To add a plug-in, add a line; a stranger spreads this object and adds one of theirs. */
export interface Catalog {
  readonly runFormatters: Readonly<Record<string, (choice: FormatterChoice) => Formatter<Run>>>;
  readonly imageFormatters: Readonly<Record<string, () => Formatter<Image>>>;
  readonly signers: Readonly<Record<string, (config: ChainsConfig, host: PlanHost, choice: SignerChoice) => Signer>>;
  /** "oci" and "oci:sigstore-bundle" are one config word and two layouts. */
  readonly storage: Readonly<Record<string, (config: ChainsConfig, host: PlanHost) => StorageBackend>>;
  readonly witnesses: Readonly<Record<string, (config: ChainsConfig, host: PlanHost) => Witness>>;
}

export const catalog: Catalog = {
  runFormatters: {
    "in-toto": ({ builderId, deepInspection }) => slsaV02({ builderId, deepInspection, format: "in-toto" }),
    "slsa/v1": ({ builderId, deepInspection }) => slsaV02({ builderId, deepInspection, format: "slsa/v1" }), // upstream's name for v0.2
    "slsa/v2alpha3": ({ builderId, buildType, deepInspection }) =>
      slsaV1({ builderId, buildType, deepInspection, format: "slsa/v2alpha3" }),
    "slsa/v2alpha4": ({ builderId, buildType, deepInspection }) =>
      slsaV1({ builderId, buildType, deepInspection, format: "slsa/v2alpha4" }),
  },
  imageFormatters: { simplesigning: () => simplesigning(), "sign-v1": () => signV1() },
  signers: {
    x509: (_, { keys }, { leavesTheRun }) => x509Signer({ keys, deterministic: leavesTheRun }),
    keyless: ({ signers: { x509 } }, host, { witnessed }) =>
      keylessSigner({
        url: x509.fulcio.address,
        http: host.http(),
        tokens: identityTokens({ provider: x509.fulcio.provider, file: x509.identityTokenFile, http: host.http(), env: host.env }),
        witnessed,
        ...(host.trust && { trust: host.trust }),
      }),
  },
  storage: {
    tekton: () => tektonStorage(),
    oci: ({ storage: { oci } }, host) =>
      ociStorage({ ...registryAccess(oci, host), layout: "tags", ...(oci.repository && { repository: oci.repository }) }),
    "oci:sigstore-bundle": ({ storage: { oci } }, host) => ociStorage({ ...registryAccess(oci, host), layout: "bundles" }),
  },
  witnesses: {
    rekor: ({ transparency: { url, version, entryKind } }, host) =>
      rekorWitness({ url, http: host.http(), version, entryKind, ...(host.trust && { trust: host.trust }) }),
    timestamp: ({ transparency }, host) => timestampWitness(authority(transparency, host)),
    "timestamp:envelope": ({ transparency }, host) => timestampWitness({ ...authority(transparency, host), over: "envelope" }),
  },
};

const authority = ({ timestampUrl }: ChainsConfig["transparency"], { http, trust }: PlanHost): TimestampOptions => ({
  url: timestampUrl,
  http: http(),
  ...(trust && { trust }),
});

function registryAccess(
  { credentialSources, insecure, insecureHosts, allowedHosts }: ChainsConfig["storage"]["oci"],
  host: PlanHost,
): Pick<OciOptions, "http" | "credentials" | "insecure"> {
  const access = { insecure: insecure || insecureHosts, allowedHosts };
  return { http: host.registryHttp(access), credentials: host.credentials(credentialSources), insecure: access.insecure };
}
