import { CountersignError } from "@countersign/core";
import { type TrustMaterial, trustFromPem } from "@countersign/verify";
import { type ClusterOptions, readSecret, secretNameFrom, withCluster } from "./cluster.ts";
import type { Terminal } from "./terminal.ts";

/** `--key`: a file, or the cosign.pub of a Secret. @throws CountersignError "config.not-a-key" */
export async function trustedKey(key: string, options: ClusterOptions, terminal: Terminal): Promise<TrustMaterial> {
  const pem = await pemFrom(key, options, terminal);
  try {
    return trustFromPem(pem);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CountersignError("config.not-a-key", `${key}: ${error.message}`, { retry: "never" });
  }
}

async function pemFrom(key: string, options: ClusterOptions, { readText, signal }: Terminal): Promise<string> {
  const secret = secretNameFrom(key);
  if (!secret) return readText(key);
  const data = await withCluster(options, (connection) => readSecret(connection, secret, signal));
  const pem = data?.["cosign.pub"];
  if (pem !== undefined) return Buffer.from(pem, "base64").toString("utf8");
  throw new CountersignError(
    "config.not-a-key",
    `${key}: ${data ? "the Secret holds no cosign.pub" : "there is no such Secret"}; give the public key as a file`,
    {
      retry: "never",
    },
  );
}
