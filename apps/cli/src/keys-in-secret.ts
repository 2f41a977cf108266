import { CountersignError } from "@countersign/core";
import { type ClusterOptions, readSecret, type SecretName, withCluster, writeSecret } from "./cluster.ts";
import type { KeyFiles, KeysMade } from "./key-files.ts";

/** A Secret without a key, as the controller's release ships it, is filled; one with a key is left alone. */
export function keysInSecret(
  secret: SecretName,
  make: () => Promise<KeyFiles>,
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<KeysMade> {
  return withCluster(options, async (connection) => {
    const there = await readSecret(connection, secret, signal);
    const name = `${secret.namespace}/${secret.name}`;
    const taken = ["cosign.key", "x509.pem"].find((file) => there && Object.hasOwn(there, file));
    if (taken)
      throw new CountersignError(
        "mark.key-exists",
        `Secret ${name} holds a ${taken} already and is not overwritten: choose another name, or remove it`,
        {
          retry: "never",
        },
      );
    const files = await make();
    const data = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")]));
    await writeSecret(connection, secret, data, there !== undefined, signal);
    return { written: [`k8s://${name}`], publicKey: files["cosign.pub"] };
  });
}
