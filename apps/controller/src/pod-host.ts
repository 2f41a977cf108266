import type { CatalogHost, RegistryAccess } from "@countersign/catalog";
import { CountersignError } from "@countersign/core";
import { type Http, type HttpOptions, hostPolicy, http } from "@countersign/http";
import { isInCluster, type RegistrySecrets } from "@countersign/kube";
import type { KeySource } from "@countersign/signers-x509";
import { dockerKeychain, firstOf, secretsKeychain } from "@countersign/storage-oci";

export interface PodHostOptions {
  readonly keys: KeySource;
  readonly secrets: RegistrySecrets;
  readonly caFile?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export interface PodHost extends CatalogHost {
  close(): Promise<void>;
}

/** What the pod lends to plug-ins: the mounted key, registry credentials, and one way out for each set of rules. */
export function podHost({ keys, secrets, caFile, env }: PodHostOptions): PodHost {
  const wires = new Map<string, Http>();
  function wire(rules: unknown, options: () => HttpOptions): Http {
    const key = JSON.stringify(rules);
    const known = wires.get(key) ?? http({ env, ...(caFile && { caFile }), userAgent: "countersign", ...options() });
    wires.set(key, known);
    return known;
  }
  return {
    keys,
    env,
    http: () => wire("", () => ({})),
    registryHttp: (access) => wire(access, () => ({ insecure: access.insecure, hostPolicy: policyFrom(access, env) })),
    credentials: () => firstOf(secretsKeychain(secrets), dockerKeychain({ env })),
    async close() {
      await Promise.all([...wires.values()].map((one) => one.close()));
    },
  };
}

/** In a pod loopback is its sidecars, so it must be listed; outside of one it is the user's own machine. */
function policyFrom({ allowedHosts }: RegistryAccess, env: NodeJS.ProcessEnv): ReturnType<typeof hostPolicy> {
  if (allowedHosts.length === 0) return hostPolicy({ allowLoopback: !isInCluster(env) });
  try {
    return hostPolicy({ allowPrivate: false, allow: allowedHosts });
  } catch (cause) {
    throw new CountersignError("config.allowed-hosts", `storage.oci.allowed-hosts: ${(cause as Error).message}`, { retry: "hold", cause });
  }
}
