import type { CatalogHost, RegistryAccess } from "@countersign/catalog";
import { CountersignError } from "@countersign/core";
import { breaker, type Http, type HttpOptions, hostPolicy, http } from "@countersign/http";
import { isInCluster, type RegistrySecrets } from "@countersign/kube";
import type { KeySource } from "@countersign/signers-x509";
import { credentialSources } from "@countersign/storage-oci";

export interface PodHostOptions {
  readonly keys: KeySource;
  readonly secrets: RegistrySecrets;
  readonly imagePullSecrets: RegistrySecrets;
  readonly caFile?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Requests to one registry, log or authority at the same time. Default 16. */
  readonly connections?: number;
  /** Told when one of them answers again after an outage. */
  readonly recovered?: () => void;
  /** Milliseconds; default Date.now. */
  readonly now?: () => number;
}

export interface PodHost extends CatalogHost {
  close(): Promise<void>;
}

/** What the pod lends to plug-ins: the mounted key, registry credentials, and one way out for each set of rules. */
export function podHost(options: PodHostOptions): PodHost {
  const { keys, secrets, imagePullSecrets, caFile, env, connections = 16, recovered, now = Date.now } = options;
  // One for all ways out: what is down is down, whoever asks.
  const rests = breaker({ now, ...(recovered && { recovered }) });
  const common = { env, connections, breaker: rests, userAgent: "countersign", ...(caFile && { caFile }) };
  const wires = new Map<string, Http>();
  function wire(name: unknown, rules: () => HttpOptions): Http {
    const key = JSON.stringify(name);
    const known = wires.get(key) ?? http({ ...common, ...rules() });
    wires.set(key, known);
    return known;
  }
  /** To hosts that the administrator or a cloud names: no policy. */
  const admin = (): Http => wire("admin", () => ({}));
  /** Metadata servers stand beside the node: no proxy leads to them, and nobody's image name either. */
  const metadata = (): Http => wire("metadata", () => ({ env: {}, connectMs: 2_000 }));
  return {
    keys,
    env,
    http: admin,
    registryHttp: (access) => wire(access, () => ({ insecure: access.insecure, hostPolicy: policyFrom(access, env) })),
    credentials: (sources) => credentialSources(sources, { secrets, imagePullSecrets, env, http: admin, metadata }),
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
