import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "./objects.ts";

/** Without `previous` the object is new; when it is gone, `object` is what it was. */
type Listener = (object: KubeObject, previous: KubeObject | undefined, isGone: boolean) => void;

const keyOf = (plural: string, namespace = "", name = ""): string => `${plural}/${namespace && `${namespace}/`}${name}`;

export class ObjectStore {
  /** The last resourceVersion that was given out, and the first one that a watch may begin at. */
  revision = 100;
  forgotten = 100;
  /** Continue tokens and what is left to list under them. */
  readonly pages: Map<string, readonly KubeObject[]> = new Map();
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<Listener>();
  #log: Parameters<Listener>[] = [];

  get(plural: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(keyOf(plural, namespace, name));
  }

  /** Sorted by namespace and name; of all namespaces when it is "". */
  list(plural: string, namespace: string): readonly KubeObject[] {
    const entries = [...this.#objects].filter(([key]) => key.startsWith(keyOf(plural, namespace)));
    return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** Everything that happens to objects happens here: news get a new resourceVersion and are told to all who follow. */
  record(plural: string, given: KubeObject, isGone = false): KubeObject {
    const key = keyOf(plural, given.metadata.namespace, given.metadata.name);
    const previous = this.#objects.get(key);
    const versioned = (resourceVersion = ""): KubeObject => ({ ...given, metadata: { ...given.metadata, resourceVersion } });
    if (previous && !isGone && isDeepStrictEqual(versioned(previous.metadata.resourceVersion), previous)) return previous;
    this.revision += 1;
    const object = versioned(`${this.revision}`);
    if (isGone) this.#objects.delete(key);
    else this.#objects.set(key, object);
    this.#log.push([object, previous, isGone]);
    for (const listener of [...this.#listeners]) listener(object, previous, isGone);
    return object;
  }

  /** Past changes after `from`, which must not be forgotten, then every new one. Returns how to stop. */
  follow(from: number, listener: Listener): () => void {
    for (const change of this.#log) if (Number(change[0].metadata.resourceVersion) > from) listener(...change);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets what was, as etcd does after some minutes. */
  compact(): void {
    this.forgotten = this.revision;
    this.#log = [];
    this.pages.clear();
  }
}
