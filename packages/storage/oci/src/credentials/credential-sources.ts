import { CountersignError } from "@countersign/core";
import type { Http } from "@countersign/http";
import { type CredentialSource, dockerKeychain, inOrder, secretsKeychain } from "../keychain.ts";
import type { CloudOptions } from "./cloud.ts";
import { acrAudience, ecrHost, isGarHost } from "./cloud-hosts.ts";

/** What the sources may use; each takes only its own. */
export interface CredentialPorts {
  /** The Secrets in the `secrets` list of a ServiceAccount. */
  readonly secrets: SecretsOf;
  /** Those in its `imagePullSecrets`. */
  readonly imagePullSecrets: SecretsOf;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: the home of the process's user. */
  readonly home?: string;
  /** The way to a cloud's services. */
  readonly http: () => Http;
  /** The way to the metadata server beside the node: never through a proxy. */
  readonly metadata: () => Http;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

type SecretsOf = Parameters<typeof secretsKeychain>[0];

const makers: Readonly<Record<string, (ports: CredentialPorts) => CredentialSource>> = {
  "serviceaccount-secrets": ({ secrets }) => secretsKeychain(secrets),
  "image-pull-secrets": ({ imagePullSecrets }) => secretsKeychain(imagePullSecrets),
  pod: ({ env, home }) => dockerKeychain({ env, ...(home !== undefined && { home }) }),
  // A cloud's code is loaded when one of its registries is met.
  ecr: (ports) =>
    lazily(
      ports,
      (registry) => ecrHost(registry) !== undefined,
      async (o) => (await import("./ecr.ts")).ecrCredentials(o),
    ),
  gar: (ports) => lazily(ports, isGarHost, async (o) => (await import("./gar.ts")).garCredentials(o)),
  acr: (ports) =>
    lazily(
      ports,
      (registry) => acrAudience(registry) !== undefined,
      async (o) => (await import("./acr.ts")).acrCredentials(o),
    ),
};

/** The words of storage.oci.credential-sources. */
export const credentialSourceNames: readonly string[] = Object.keys(makers);

/**
 * The sources by name. Whatever any of them knows of a place is tried in this order until the registry lets one in for what is to be done.
 *
 * @throws CountersignError "config.credential-sources"
 */
export function credentialSources(names: readonly string[], ports: CredentialPorts): CredentialSource {
  return inOrder(
    ...names.map((name) => {
      const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
      if (make) return make(ports);
      const sentence = `storage.oci.credential-sources names "${name.slice(0, 60)}"; known are ${credentialSourceNames.join(", ")}`;
      throw new CountersignError("config.credential-sources", sentence, { retry: "hold" });
    }),
  );
}

function lazily(
  { env, http, metadata, now }: CredentialPorts,
  isIts: (registry: string) => boolean,
  load: (options: CloudOptions) => Promise<CredentialSource>,
): CredentialSource {
  let loaded: Promise<CredentialSource> | undefined;
  return async (artifact, place, call) => {
    if (!isIts(place.registry)) return [];
    loaded ??= load({ env, http: http(), metadata: metadata(), ...(now && { now }) });
    return (await loaded)(artifact, place, call);
  };
}
