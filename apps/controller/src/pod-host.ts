import type { CatalogHost } from "@countersign/catalog";
import { type Http, hostPolicy, http } from "@countersign/http";
import type { RegistrySecrets } from "@countersign/kube";
import type { KeySource } from "@countersign/signers-x509";
import { dockerKeychain, firstOf, secretsKeychain } from "@countersign/storage-oci";

export interface PodHostOptions {
  readonly keys: KeySource;
  readonly secrets: RegistrySecrets;
  readonly caFile?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** What the pod lends to plug-ins: the mounted key, the run's registry credentials before the controller's own, one HTTP layer. */
export function podHost({ keys, secrets, caFile, env }: PodHostOptions): CatalogHost & { close(): Promise<void> } {
  const wires = new Map<boolean, Http>();
  const wire = ({ insecure = false }: { insecure?: boolean } = {}): Http => {
    const known =
      wires.get(insecure) ?? http({ insecure, env, hostPolicy: hostPolicy(), ...(caFile && { caFile }), userAgent: "countersign" });
    wires.set(insecure, known);
    return known;
  };
  return {
    keys,
    http: wire,
    credentials: firstOf(secretsKeychain(secrets), dockerKeychain({ env })),
    async close() {
      await Promise.all([...wires.values()].map((one) => one.close()));
    },
  };
}
