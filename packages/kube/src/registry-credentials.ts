import type { Call } from "@countersign/core";
import type { KubeConnection } from "./connection.ts";
import { isNotFound } from "./kube-error.ts";

/** A docker configuration out of a Secret, as text; whoever pushes parses it. */
export interface RegistrySecret {
  /** "secret ci/push", for sentences. */
  readonly source: string;
  readonly type: "kubernetes.io/dockerconfigjson" | "kubernetes.io/dockercfg";
  readonly text: string;
}

export interface RegistrySecretsOptions {
  readonly connection: KubeConnection;
  /** Which list of the ServiceAccount names them. Default "secrets". */
  readonly list?: "secrets" | "imagePullSecrets";
  /** How long an answer serves the next run of the same ServiceAccount. Default 30 s. */
  readonly keepMs?: number;
  readonly now?: () => number;
}

const mostKept = 1000;
/** A DNS subdomain. Whoever writes a run chooses these names: what cannot exist is not asked for. */
const isName = (name: string): boolean => /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name);

export type RegistrySecrets = (namespace: string, serviceAccount: string, call: Call) => Promise<readonly RegistrySecret[]>;

const fileOf = { "kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg" } as const;

/**
 * The registry credentials of a ServiceAccount: the Secrets in its `secrets` list, by name. Its imagePullSecrets, which may often only
 * read, are another source, and only where somebody asks for them; upstream leaves them out. What does not exist is no error.
 */
export function registrySecrets(options: RegistrySecretsOptions): RegistrySecrets {
  const { connection, list = "secrets", keepMs = 30_000, now = Date.now } = options;
  const known = new Map<string, { at: number; secrets: Promise<readonly RegistrySecret[]> }>();
  return (namespace, serviceAccount, call) => {
    const key = `${namespace}/${serviceAccount}`;
    const kept = known.get(key);
    if (kept && now() - kept.at < keepMs) return kept.secrets;
    const secrets = readSecrets(connection, list, namespace, serviceAccount, call);
    known.delete(key);
    known.set(key, { at: now(), secrets });
    secrets.catch(() => known.get(key)?.secrets === secrets && known.delete(key));
    for (const oldest of known.keys()) {
      if (known.size <= mostKept) break;
      known.delete(oldest);
    }
    return secrets;
  };
}

async function readSecrets(
  connection: KubeConnection,
  list: "secrets" | "imagePullSecrets",
  namespace: string,
  serviceAccount: string,
  { signal }: Call,
): Promise<readonly RegistrySecret[]> {
  const base = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const get = async <T>(resource: string, name: string): Promise<T | undefined> => {
    if (!isName(name)) return undefined;
    try {
      return JSON.parse(
        await connection.request({ verb: "get", resource, path: `${base}/${resource}/${encodeURIComponent(name)}`, signal }),
      ) as T;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const account = await get<Partial<Record<typeof list, readonly { name?: string }[]>>>("serviceaccounts", serviceAccount || "default");
  const names = (account?.[list] ?? []).flatMap(({ name }) => (name ? [name] : []));
  const found = await Promise.all(names.map(async (name) => ({ name, secret: await get<SecretBody>("secrets", name) })));
  return found.flatMap(({ name, secret }) => {
    const type = secret?.type;
    if (type !== "kubernetes.io/dockerconfigjson" && type !== "kubernetes.io/dockercfg") return [];
    const base64 = secret?.data?.[fileOf[type]];
    return base64 ? [{ source: `secret ${namespace}/${name}`, type, text: Buffer.from(base64, "base64").toString("utf8") }] : [];
  });
}

interface SecretBody {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}
