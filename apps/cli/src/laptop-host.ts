import type { CatalogHost } from "@countersign/catalog";
import { type Http, http } from "@countersign/http";
import { directoryKeys } from "@countersign/signers-x509";
import { dockerKeychain } from "@countersign/storage-oci";
import type { Terminal } from "./terminal.ts";

export interface LaptopHost extends CatalogHost {
  close(): Promise<void>;
}

/** What a person's machine lends to plug-ins: a folder with the key, the logins of docker and podman, one HTTP layer. */
export function laptopHost({ env }: Pick<Terminal, "env">, signingSecrets: string): LaptopHost {
  const wires = new Map<boolean, Http>();
  return {
    keys: directoryKeys(signingSecrets),
    credentials: dockerKeychain({ env }),
    http({ insecure }) {
      const wire = wires.get(insecure) ?? http({ insecure, env, userAgent: "countersign" });
      wires.set(insecure, wire);
      return wire;
    },
    async close() {
      await Promise.all([...wires.values()].map((wire) => wire.close()));
    },
  };
}
