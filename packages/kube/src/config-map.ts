import type { Call } from "@countersign/core";
import type { KubeConnection } from "./connection.ts";
import { isNotFound } from "./kube-error.ts";
import { listWatch } from "./list-watch.ts";

export type ConfigMapData = Readonly<Record<string, string>>;

export interface ConfigMapOptions {
  readonly connection: KubeConnection;
  readonly namespace: string;
  readonly name: string;
}

/** The data of one ConfigMap; undefined when there is none. */
export async function readConfigMap(
  { connection, namespace, name }: ConfigMapOptions,
  { signal }: Call,
): Promise<ConfigMapData | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`;
  try {
    return dataOf(JSON.parse(await connection.request({ verb: "get", resource: "configmaps", path, signal })));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export interface ConfigMapListener {
  /** Each time its data is another; never for its deletion. */
  changed(data: ConfigMapData): void;
  /** Looked for, and there is none; it is waited for. */
  absent?(): void;
  trouble?(error: unknown): void;
}

/** Follows one ConfigMap until the signal aborts. A field selector keeps it within a role that names just this object. */
export function watchConfigMap({ connection, namespace, name }: ConfigMapOptions, listener: ConfigMapListener, call: Call): Promise<void> {
  let last: string | undefined;
  return listWatch(
    {
      connection,
      resource: "configmaps",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`,
      query: { fieldSelector: `metadata.name=${name}` },
      project: dataOf,
      keyOf: () => name,
      listener: {
        seen(data) {
          const text = JSON.stringify(Object.entries(data).sort());
          if (text === last) return;
          last = text;
          listener.changed(data);
        },
        gone: () => undefined,
        listed: (keys) => keys.size === 0 && listener.absent?.(),
        ...(listener.trouble && { trouble: listener.trouble }),
      },
    },
    call,
  );
}

function dataOf(object: unknown): ConfigMapData {
  const { data } = (object ?? {}) as { data?: unknown };
  if (typeof data !== "object" || data === null) return {};
  return Object.fromEntries(Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
