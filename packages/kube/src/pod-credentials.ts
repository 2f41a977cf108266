import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CredentialsError, type KubeCredentials } from "./credentials.ts";

const podFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet replaces the token file well before it expires; reading it once a minute is what client-go does. */
const tokenReadMs = 60_000;

export const isInCluster = (env: NodeJS.ProcessEnv = process.env): boolean => Boolean(env["KUBERNETES_SERVICE_HOST"]);

export interface PodCredentialsOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly now?: () => number;
}

/** A pod's own ServiceAccount (kubernetes.io: Accessing the API from within a Pod). @throws CredentialsError */
export async function podCredentials(options: PodCredentialsOptions = {}): Promise<KubeCredentials> {
  const { env = process.env, folder = podFolder, now = Date.now } = options;
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (!host)
    throw new CredentialsError("KUBERNETES_SERVICE_HOST is not set: this process does not run in a pod; name a kubeconfig instead");
  const namespace = (await readFile(join(folder, "namespace"), "utf8").catch(() => "default")).trim();
  let token = "";
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${env["KUBERNETES_SERVICE_PORT"] || "443"}`,
    namespace,
    async tls() {
      readAt = Number.NEGATIVE_INFINITY;
      return { ca: await mounted(join(folder, "ca.crt")) };
    },
    async headers() {
      if (now() - readAt >= tokenReadMs) {
        const read = mounted(join(folder, "token"));
        // While the kubelet swaps the files, the token at hand is as good as it was.
        token = (token ? await read.catch(() => token) : await read).trim();
        readAt = now();
      }
      return { authorization: `Bearer ${token}` };
    },
  };
}

async function mounted(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new CredentialsError(
      `${file} cannot be read (${cause.code}): the pod's ServiceAccount is not mounted; set automountServiceAccountToken`,
      cause,
    );
  });
  if (text.trim() === "") throw new CredentialsError(`${file} is empty: the pod's ServiceAccount is not mounted whole; recreate the pod`);
  return text;
}
