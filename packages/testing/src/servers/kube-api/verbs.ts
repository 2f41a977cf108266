import { isDeepStrictEqual } from "node:util";
import { type Call, jsonOf } from "./call.ts";
import type { ObjectStore } from "./object-store.ts";
import { type KubeObject, only } from "./objects.ts";
import { conflict, expired, notFound } from "./refusal.ts";
import { selector } from "./selector.ts";
import { now, write } from "./writes.ts";

/** What can be asked of the store, with an API server's rules; watch apart. */
export function answerOf(store: ObjectStore, call: Call): readonly [code: number, body: object] {
  if (call.verb === "list") return [200, list(store, call)];
  if (call.verb === "get") return [200, existing(store, call)];
  if (call.verb === "delete") return [200, remove(store, call)];
  return write(store, call);
}

function existing(store: ObjectStore, { of, namespace, name }: Call): KubeObject {
  const live = store.get(of.plural, namespace, name);
  if (live === undefined) throw notFound(of, name);
  return live;
}

function list(store: ObjectStore, { of, namespace, query }: Call): object {
  const token = query.get("continue");
  const matching = token ? store.pages.get(token) : store.list(of.plural, namespace).filter(selector(query));
  if (matching === undefined) throw expired("The provided continue parameter is too old to display a consistent list result.");
  // A continued list is of the moment it began.
  const resourceVersion = token?.split("-")[0] ?? `${store.revision}`;
  const limit = Number(query.get("limit")) || matching.length;
  const rest = matching.slice(limit);
  const next = `${resourceVersion}-${store.pages.size}`;
  if (rest.length > 0) store.pages.set(next, rest);
  const isFiltered = query.has("labelSelector") || query.has("fieldSelector");
  const more = rest.length > 0 && { continue: next, ...(!isFiltered && { remainingItemCount: rest.length }) };
  return { apiVersion: of.apiVersion, kind: `${of.kind}List`, metadata: { resourceVersion, ...more }, items: matching.slice(0, limit) };
}

function remove(store: ObjectStore, call: Call): object {
  const { of, name } = call;
  const live = existing(store, call);
  const { uid, finalizers = [], deletionTimestamp, generation = 0 } = live.metadata;
  const { preconditions = {} } = (jsonOf(call) ?? {}) as { readonly preconditions?: object };
  const isMeant = isDeepStrictEqual(only(live.metadata, ...Object.keys(preconditions)), preconditions);
  if (!isMeant) throw conflict(of, name, "the preconditions do not fit the object");
  if (finalizers.length === 0) {
    store.record(of.plural, live, true);
    const details = { kind: of.plural, ...(of.group && { group: of.group }), name, uid };
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  }
  if (deletionTimestamp) return live;
  const going = { deletionTimestamp: now(), deletionGracePeriodSeconds: 0, ...(of.custom && { generation: generation + 1 }) };
  return store.record(of.plural, { ...live, metadata: { ...live.metadata, ...going } });
}
