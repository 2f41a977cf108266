import type { KubeObject } from "./objects.ts";
import { expired } from "./refusal.ts";
import { type Resource, resources } from "./resources.ts";

export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly of: Resource;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

export interface ObjectStore {
  readonly revision: () => number;
  get(of: Resource, namespace: string, name: string): KubeObject | undefined;
  /** Sorted by namespace and name; of all namespaces when none is named. */
  list(of: Resource, namespace?: string): readonly KubeObject[];
  /** Stores under a new resourceVersion. */
  put(of: Resource, object: KubeObject): KubeObject;
  remove(of: Resource, object: KubeObject): KubeObject;
  /** Past changes after `from`, then every new one; throws 410 when `from` is forgotten. Returns how to stop. */
  follow(from: number, listener: (change: Change) => void): () => void;
  /** Forgets what was, as etcd does after some minutes. */
  compact(): void;
}

export function objectStore(): ObjectStore {
  const shelves = new Map(resources.map((of) => [of, new Map<string, KubeObject>()]));
  const listeners = new Set<(change: Change) => void>();
  let log: Change[] = [];
  let revision = 100;
  let forgotten = 100;
  const shelf = (of: Resource): Map<string, KubeObject> => shelves.get(of) ?? new Map();
  const keyOf = (namespace = "", name = ""): string => `${namespace}/${name}`;

  function record(type: Change["type"], of: Resource, given: KubeObject): KubeObject {
    revision += 1;
    const object = { ...given, metadata: { ...given.metadata, resourceVersion: `${revision}` } };
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const change = { type, revision, of, object, previous: shelf(of).get(key) };
    if (type === "DELETED") shelf(of).delete(key);
    else shelf(of).set(key, object);
    log.push(change);
    for (const listener of [...listeners]) listener(change);
    return object;
  }

  return {
    revision: () => revision,
    get: (of, namespace, name) => shelf(of).get(keyOf(namespace, name)),
    list: (of, namespace) =>
      [...shelf(of)]
        .filter(([key]) => namespace === undefined || key.startsWith(`${namespace}/`))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object),
    put: (of, object) => record(shelf(of).has(keyOf(object.metadata.namespace, object.metadata.name)) ? "MODIFIED" : "ADDED", of, object),
    remove: (of, object) => record("DELETED", of, object),
    follow: (from, listener) => {
      if (from < forgotten) throw expired(`too old resource version: ${from} (${forgotten})`);
      for (const change of log) if (change.revision > from) listener(change);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    compact: () => {
      forgotten = revision;
      log = [];
    },
  };
}
