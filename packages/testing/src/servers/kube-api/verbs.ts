import { applied, ownedAfterUpdate, type Writer } from "./managed-fields.ts";
import type { ObjectStore } from "./object-store.ts";
import { isMap, type JsonMap, type KubeObject, type ManagedFields, sameJson, without } from "./objects.ts";
import { jsonPatch, mergePatch, strategicMergePatch } from "./patches.ts";
import { alreadyExists, badRequest, conflict, expired, invalid, noFieldManager, notFound, Refusal } from "./refusal.ts";
import { type Resource, resources } from "./resources.ts";
import { selector } from "./selector.ts";
import { addressed, born, changed } from "./writes.ts";

export interface Target {
  readonly of: Resource;
  /** Absent for cluster-wide lists and for what has no namespace. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** A write as it came in; body is parsed JSON. */
export interface Sent {
  readonly body: unknown;
  readonly contentType: string;
  readonly manager: string;
  readonly query: URLSearchParams;
}

export interface Listed {
  readonly items: readonly KubeObject[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
}

export interface Verbs {
  get(target: Target): KubeObject;
  list(target: Target, query: URLSearchParams): Listed;
  create(target: Target, sent: Sent): KubeObject;
  update(target: Target, sent: Sent): KubeObject;
  /** created: an apply brought the object into being. */
  patch(target: Target, sent: Sent): { readonly object: KubeObject; readonly created: boolean };
  /** The object while finalizers hold it, a Status when it is gone. */
  delete(target: Target, sent: Sent): object;
  /** After a compaction of the store. */
  forgetPages(): void;
}

export const applyType = "application/apply-patch+yaml";
const namespaces = resources.find((of) => of.kind === "Namespace") as Resource;

/** What can be asked of the store, with an API server's rules. */
export function verbs(store: ObjectStore, time: () => string): Verbs {
  const pages = new Map<string, { readonly items: readonly KubeObject[]; readonly resourceVersion: string }>();
  return { get, list, create, update, patch, delete: remove, forgetPages: () => pages.clear() };

  function get({ of, namespace = "", name = "" }: Target): KubeObject {
    const object = store.get(of, namespace, name);
    if (object === undefined) throw notFound(of, name);
    return object;
  }

  function list({ of, namespace }: Target, query: URLSearchParams): Listed {
    const token = query.get("continue");
    const fresh = { items: store.list(of, namespace).filter(selector(query)), resourceVersion: `${store.revision()}` };
    const page = token ? pages.get(token) : fresh;
    if (page === undefined) throw expired("The provided continue parameter is too old to display a consistent list result.");
    const { items, resourceVersion } = page;
    const limit = Number(query.get("limit") ?? 0) || items.length;
    const rest = items.slice(limit);
    if (rest.length === 0) return { items, metadata: { resourceVersion } };
    const next = Buffer.from(`${resourceVersion}/${pages.size}/${rest.length}`).toString("base64url");
    pages.set(next, { items: rest, resourceVersion });
    const counted = query.has("labelSelector") || query.has("fieldSelector") ? {} : { remainingItemCount: rest.length };
    return { items: items.slice(0, limit), metadata: { resourceVersion, continue: next, ...counted } };
  }

  function create({ of, namespace = "" }: Target, sent: Sent): KubeObject {
    demandNamespace(of, namespace);
    const made = born(of, addressed(of, objectOf(sent), namespace, undefined), time());
    if (store.get(of, namespace, made.metadata.name)) throw alreadyExists(of, made.metadata.name);
    return store.put(of, owned(made, ownedAfterUpdate(undefined, made, writerOf(sent, undefined), time())));
  }

  function update(target: Target, sent: Sent): KubeObject {
    const { of, namespace = "", name = "", subresource } = target;
    const next = addressed(of, objectOf(sent), namespace, name);
    const live = get(target);
    if (of.custom && !next.metadata.resourceVersion) {
      throw invalid(of, name, "metadata.resourceVersion", "Invalid value: 0: must be specified for an update");
    }
    const { uid } = next.metadata;
    if (uid !== undefined && uid !== live.metadata.uid) {
      throw conflict(of, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`);
    }
    const settled = changed(of, live, next, subresource);
    return commit(of, live, settled, ownedAfterUpdate(live, settled, writerOf(sent, subresource), time()));
  }

  function patch(target: Target, sent: Sent): { object: KubeObject; created: boolean } {
    if (sent.contentType === applyType) return apply(target, sent);
    const { of, subresource } = target;
    const live = get(target);
    const next = patched(of, live, sent);
    const settled = changed(of, live, next, subresource);
    return { object: commit(of, live, settled, ownedAfterUpdate(live, settled, writerOf(sent, subresource), time())), created: false };
  }

  function apply({ of, namespace = "", name = "", subresource }: Target, sent: Sent): { object: KubeObject; created: boolean } {
    demandNamespace(of, namespace);
    const config = addressed(of, objectOf(sent), namespace, name);
    if (!sent.query.get("fieldManager")) throw noFieldManager();
    if (config.metadata.managedFields) throw badRequest("metadata.managedFields must be nil");
    const scoped =
      subresource === "status" ? { ...without(config, "spec"), metadata: { name } } : of.status ? without(config, "status") : config;
    const force = sent.query.get("force") === "true";
    const live = store.get(of, namespace, name);
    const { object, entries } = applied(live, scoped, writerOf(sent, subresource), time(), force);
    if (live) {
      const named = { ...object, metadata: { ...object.metadata, ...identityOf(config) } };
      return { object: commit(of, live, changed(of, live, named, subresource), entries), created: false };
    }
    const { uid } = config.metadata;
    if (uid !== undefined)
      throw conflict(of, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
    if (subresource !== undefined) throw notFound(of, name);
    return { object: store.put(of, owned(born(of, object, time()), entries)), created: true };
  }

  function remove(target: Target, { body }: Sent): object {
    const live = get(target);
    const { of, name = "" } = target;
    const { uid, finalizers = [], deletionTimestamp } = live.metadata;
    const wanted = isMap(body) && isMap(body["preconditions"]) ? body["preconditions"] : {};
    for (const key of ["uid", "resourceVersion"]) {
      if (wanted[key] === undefined || wanted[key] === live.metadata[key]) continue;
      const label = key === "uid" ? "UID" : "ResourceVersion";
      throw conflict(
        of,
        name,
        `the ${label} in the precondition (${wanted[key]}) does not match the ${label} in record (${live.metadata[key]})`,
      );
    }
    if (finalizers.length === 0) {
      store.remove(of, live);
      const details = { name, ...(of.group ? { group: of.group } : {}), kind: of.plural, uid };
      return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
    }
    if (deletionTimestamp !== undefined) return live;
    const generation = of.custom ? { generation: (live.metadata.generation ?? 0) + 1 } : {};
    const going = { ...generation, deletionTimestamp: time(), deletionGracePeriodSeconds: 0 };
    return store.put(of, { ...live, metadata: { ...live.metadata, ...going } });
  }

  function commit(of: Resource, live: KubeObject, settled: KubeObject, entries: readonly ManagedFields[]): KubeObject {
    const next = owned(settled, entries);
    if (sameJson(next, live)) return live;
    const { deletionTimestamp, finalizers = [] } = next.metadata;
    return deletionTimestamp !== undefined && finalizers.length === 0 ? store.remove(of, next) : store.put(of, next);
  }

  function demandNamespace(of: Resource, namespace: string): void {
    if (of.namespaced && !store.get(namespaces, "", namespace)) throw notFound(namespaces, namespace);
  }
}

function patched(of: Resource, live: KubeObject, { contentType, body }: Sent): KubeObject {
  if (contentType === "application/merge-patch+json") return mergePatch(live, body) as KubeObject;
  if (contentType === "application/json-patch+json") return jsonPatch(live as JsonMap, body) as KubeObject;
  if (contentType === "application/strategic-merge-patch+json" && !of.custom) return strategicMergePatch(live, body) as KubeObject;
  throw new Refusal(
    415,
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
  );
}

const identityOf = ({ metadata: { uid, resourceVersion } }: KubeObject): object => ({
  ...(uid === undefined ? {} : { uid }),
  ...(resourceVersion === undefined ? {} : { resourceVersion }),
});

const writerOf = ({ manager, contentType }: Sent, subresource: string | undefined): Writer => ({
  manager,
  operation: contentType === applyType ? "Apply" : "Update",
  subresource,
});

function owned(object: KubeObject, entries: readonly ManagedFields[]): KubeObject {
  const metadata = without(object.metadata, "managedFields");
  return { ...object, metadata: entries.length > 0 ? { ...metadata, managedFields: entries } : metadata };
}

function objectOf({ body }: Sent): KubeObject {
  if (!isMap(body) || !isMap(body["metadata"] ?? {})) throw badRequest("the body is no object");
  return { metadata: {}, ...body } as unknown as KubeObject;
}
