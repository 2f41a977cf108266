import type { CatalogHost, RegistryAccess } from "@countersign/catalog";
import { type Http, hostPolicy, http } from "@countersign/http";
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

/** What the pod lends to plug-ins: the mounted key, the run's registry credentials before the controller's own, ways out by their policy. */
export function podHost({ keys, secrets, caFile, env }: PodHostOptions): PodHost {
  const wires = new Map<string, Http>();
  const common = { env, ...(caFile && { caFile }), userAgent: "countersign" };
  const kept = (key: string, make: () => Http): Http => {
    const wire = wires.get(key) ?? make();
    wires.set(key, wire);
    return wire;
  };
  // Outside a pod loopback is the user's own machine, where registries for trying things out live.
  const policyOf = ({ allowedHosts: allow }: RegistryAccess): ReturnType<typeof hostPolicy> =>
    hostPolicy({ allow, allowPrivate: allow.length === 0, allowLoopback: allow.length === 0 && !isInCluster(env) });
  return {
    keys,
    env,
    http: () => kept("services", () => http(common)),
    registryHttp: (access) =>
      kept(JSON.stringify(access), () => http({ ...common, insecure: access.insecure, hostPolicy: policyOf(access) })),
    credentials: () => firstOf(secretsKeychain(secrets), dockerKeychain({ env })),
    async close() {
      await Promise.all([...wires.values()].map((one) => one.close()));
    },
  };
}
