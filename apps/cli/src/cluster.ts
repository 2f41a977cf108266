import { CountersignError } from "@countersign/core";
import { CredentialsError, clusterFault, type KubeConnection, kubeConnection, kubeconfigCredentials } from "@countersign/kube";
import { Option } from "commander";

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export const clusterOptions = (): readonly Option[] => [
  new Option("--kubeconfig <file>", "how to reach the cluster; default as kubectl"),
  new Option("--context <name>", "context of the kubeconfig"),
];

/** A connection for the time of one piece of work. @throws CountersignError "read.no-cluster" */
export async function withCluster<T>(
  { kubeconfig, context }: ClusterOptions,
  work: (connection: KubeConnection) => Promise<T>,
): Promise<T> {
  const connection = await kubeconfigCredentials({ file: kubeconfig, context }).then(kubeConnection, (error: unknown) => {
    throw new CountersignError(
      "read.no-cluster",
      `no cluster can be reached: ${reasonOf(error, kubeconfig)}; check --kubeconfig and --context`,
      {
        retry: "never",
      },
    );
  });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Messages that are not ours may repeat lines of the kubeconfig, and those hold tokens. */
function reasonOf(error: unknown, file: string | undefined): string {
  if (error instanceof CredentialsError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  const name = file ?? "the kubeconfig";
  return code === "ENOENT" ? `${name} is not there` : `${name} cannot be used${code ? ` (${code})` : ""}`;
}

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** "k8s://namespace/name", as cosign writes it; undefined for anything else. */
export function secretNameFrom(text: string): SecretName | undefined {
  const [, namespace, name] = /^k8s:\/\/([a-z0-9][a-z0-9-]*)\/([a-z0-9][a-z0-9.-]*)$/.exec(text) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}

export type SecretData = Readonly<Record<string, string>>;

const pathOf = ({ namespace, name }: SecretName): string => `/api/v1/namespaces/${namespace}/secrets/${name}`;

/** Values in base64; undefined: there is no such Secret. */
export async function readSecret(connection: KubeConnection, secret: SecretName, signal: AbortSignal): Promise<SecretData | undefined> {
  try {
    const text = await connection.request({ verb: "get", resource: "secrets", path: pathOf(secret), signal });
    return (JSON.parse(text) as { data?: SecretData }).data ?? {};
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return undefined;
    throw clusterFault("read", `Secret ${secret.namespace}/${secret.name} could not be read`, error);
  }
}

/** Adds to a Secret that is there, or makes it. */
export async function writeSecret(
  connection: KubeConnection,
  secret: SecretName,
  data: SecretData,
  exists: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = secret;
  const body = { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata: { namespace, name }, data };
  try {
    await connection.request(
      exists
        ? { verb: "patch", resource: "secrets", path: pathOf(secret), body: { data }, contentType: "application/merge-patch+json", signal }
        : { verb: "create", resource: "secrets", path: `/api/v1/namespaces/${namespace}/secrets`, body, signal },
    );
  } catch (error) {
    throw clusterFault("mark", `Secret ${namespace}/${name} could not be written`, error);
  }
}
