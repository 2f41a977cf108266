import type { CatalogHost } from "@countersign/catalog";
import { type Http, http } from "@countersign/http";
import { directoryKeys } from "@countersign/signers-x509";
import { dockerKeychain } from "@countersign/storage-oci";
import type { Terminal } from "./terminal.ts";

export interface LaptopHost extends CatalogHost {
  close(): Promise<void>;
}

/** What a person's machine lends to plug-ins: a folder with the key, the logins of docker and podman, ways out. */
export function laptopHost({ env }: Pick<Terminal, "env">, signingSecrets: string): LaptopHost {
  const wires = new Map<string, Http>();
  const wire = (insecure: boolean | readonly string[]): Http => {
    const key = JSON.stringify(insecure);
    const known = wires.get(key) ?? http({ insecure, env, userAgent: "countersign" });
    wires.set(key, known);
    return known;
  };
  return {
    keys: directoryKeys(signingSecrets),
    env,
    credentials: () => dockerKeychain({ env }),
    registryHttp: ({ insecure }) => wire(insecure),
    http: () => wire(false),
    async close() {
      await Promise.all([...wires.values()].map((one) => one.close()));
    },
  };
}
