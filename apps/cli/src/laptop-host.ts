import type { CatalogHost } from "@countersign/catalog";
import { CountersignError } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { directoryKeys, type KeySource } from "@countersign/signers-x509";
import { dockerKeychain } from "@countersign/storage-oci";
import type { Terminal } from "./terminal.ts";

export interface LaptopHost extends CatalogHost {
  close(): Promise<void>;
}

/** What a person's machine lends to plug-ins: a folder with the key, the logins of docker and podman, ways out. */
export function laptopHost({ env }: Pick<Terminal, "env">, signingSecrets: string | undefined): LaptopHost {
  const wires = new Map<string, Http>();
  const wire = (insecure: boolean | readonly string[]): Http => {
    const key = JSON.stringify(insecure);
    const known = wires.get(key) ?? http({ insecure, env, userAgent: "countersign" });
    wires.set(key, known);
    return known;
  };
  return {
    keys: signingSecrets === undefined ? noKeys : directoryKeys(signingSecrets),
    env,
    credentials: () => dockerKeychain({ env }),
    registryHttp: ({ insecure }) => wire(insecure),
    http: () => wire(false),
    async close() {
      await Promise.all([...wires.values()].map((one) => one.close()));
    },
  };
}

const noKeys: KeySource = {
  place: "--signing-secrets",
  async current() {
    const sentence =
      "there is no key to sign with: give --signing-secrets FOLDER, or set signers.x509.fulcio.enabled to true and sign without one";
    throw new CountersignError("sign.key-missing", sentence, { retry: "hold" });
  },
};
