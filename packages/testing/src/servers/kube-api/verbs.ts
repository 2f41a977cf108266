import { isDeepStrictEqual } from "node:util";
import { type Call, jsonOf, objectOf } from "./call.ts";
import { applied, updated } from "./managed-fields.ts";
import type { ObjectStore } from "./object-store.ts";
import { fixed, type KubeObject, type Metadata, only, without } from "./objects.ts";
import { patched } from "./patches.ts";
import { badRequest, conflict, invalid, notFound, Refusal } from "./refusal.ts";
import { namespaces, type Resource } from "./resources.ts";
import { selector } from "./selector.ts";

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** What can be asked of the store, with an API server's rules; watch apart. */
export function answerOf(store: ObjectStore, call: Call): [code: number, body: object] {
  const { verb, of, namespace, name } = call;
  if (verb === "list") return [200, list(store, call)];
  if (verb !== "get" && verb !== "delete") return write(store, call);
  const live = store.get(of.plural, namespace, name);
  if (live === undefined) throw notFound(of, name);
  return [200, verb === "get" ? live : remove(store, call, live)];
}

function list(store: ObjectStore, { of, namespace, query }: Call): object {
  const token = query.get("continue");
  const matching = token ? store.pages.get(token) : store.list(of.plural, namespace).filter(selector(query));
  if (matching === undefined) throw new Refusal(410, "Expired", "this list is too old to be continued: begin again");
  // A continued list is of the moment it began.
  const resourceVersion = token?.split("-")[0] ?? `${store.revision}`;
  const limit = Number(query.get("limit")) || matching.length;
  const rest = matching.slice(limit);
  const next = `${resourceVersion}-${crypto.randomUUID()}`;
  if (rest.length > 0) store.pages.set(next, rest);
  const isFiltered = query.has("labelSelector") || query.has("fieldSelector");
  const more = rest.length > 0 && { continue: next, ...(!isFiltered && { remainingItemCount: rest.length }) };
  return { apiVersion: of.apiVersion, kind: `${of.kind}List`, metadata: { resourceVersion, ...more }, items: matching.slice(0, limit) };
}

function remove(store: ObjectStore, { of, name, body }: Call, live: KubeObject): object {
  if (body.includes("preconditions")) throw badRequest("this server knows no preconditions of a delete");
  const { uid, finalizers = [], deletionTimestamp, generation = 0 } = live.metadata;
  const isGone = finalizers.length === 0;
  const mark = { deletionTimestamp: now(), deletionGracePeriodSeconds: 0, ...(of.custom && { generation: generation + 1 }) };
  const metadata = { ...live.metadata, ...(!isGone && !deletionTimestamp && mark) };
  const object = store.record(of.plural, { ...live, metadata }, isGone);
  return isGone ? { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { kind: of.plural, name, uid } } : object;
}

/** POST, PUT and every PATCH make a next object of the live one; from there on they share their rules. */
function write(store: ObjectStore, call: Call): [code: number, body: object] {
  const { of, namespace, verb, subresource, query, headers } = call;
  if (of.namespaced && !store.get("namespaces", "", namespace)) throw notFound(namespaces, namespace);
  const contentType = headers["content-type"]?.split(";")[0] ?? "";
  const isApply = verb === "patch" && contentType === "application/apply-patch+yaml";
  if (isApply && subresource) throw badRequest("this server applies no status: patch it");
  if (isApply && !query.has("fieldManager")) throw invalid(of, "", "fieldManager", "Required value: is required for apply patch");
  const sent = verb === "patch" && !isApply ? undefined : objectOf(call);
  const name = sent?.metadata.name ?? call.name;
  const live = store.get(of.plural, namespace, name);
  if (verb === "create" && live) throw conflict(of, name, "it already exists", "AlreadyExists");
  if (!live && !isApply && verb !== "create") throw notFound(of, name);
  const manager = query.get("fieldManager") || headers["user-agent"]?.split("/")[0] || "unknown";
  const how = { operation: isApply ? "Apply" : "Update", ...(subresource && { subresource }) };
  const writer = { manager, ...how, apiVersion: of.apiVersion, time: now(), fieldsType: "FieldsV1" };
  const isForced = query.get("force") === "true";
  const patch = (): KubeObject => patched(contentType, of.custom, live, jsonOf(call)) as KubeObject;
  const [next, entries] = sent && isApply ? applied(live, without(sent, "status"), writer, isForced) : [sent ?? patch()];
  const { uid, resourceVersion } = next.metadata;
  // A PUT and a patch meet another uid in different ways.
  const isOther = verb !== "create" && uid !== undefined && uid !== live?.metadata.uid;
  const isLate = live && resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion;
  const isBlind = verb === "update" && of.custom && !resourceVersion;
  if (isBlind) throw invalid(of, name, "metadata.resourceVersion", "must be specified for an update");
  if (isOther && live && verb === "patch") throw invalid(of, name, "metadata.uid", `Invalid value: "${uid}": field is immutable`);
  if (isOther || isLate) throw conflict(of, name, "this is not the object or the version that was meant; read it again");
  const settled = settledOf(of, live, next, subresource);
  const managedFields = entries ?? updated(live, settled, writer);
  const metadata = { ...without(settled.metadata, "managedFields"), ...(managedFields.length > 0 && { managedFields }) };
  const isGone = metadata.deletionTimestamp !== undefined && !metadata.finalizers;
  return [live ? 200 : 201, store.record(of.plural, { ...settled, metadata }, isGone)];
}

/** What is stored when `next` is wanted: status has its own door, and identity is nobody's to choose. */
export function settledOf(of: Resource, live: KubeObject | undefined, next: KubeObject, subresource?: string): KubeObject {
  if (live && subresource) return { ...without(live, "status"), ...only(next, "status") };
  // A typed server leaves out what is empty.
  const empty = ["labels", "annotations", "finalizers"].filter((key) => Object.keys(next.metadata[key] ?? {}).length === 0);
  const identity = live ? only(live.metadata, "name", "namespace", ...fixed) : { uid: crypto.randomUUID(), creationTimestamp: now() };
  const metadata = { ...without(next.metadata, "generateName", "resourceVersion", ...fixed, ...empty), ...identity } as Metadata;
  const { name, annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) throw invalid(of, name, "metadata.name", `Invalid value: "${name}"`);
  const isLarge = Buffer.byteLength(Object.entries(annotations).flat().join("")) > 262_144;
  if (isLarge) throw invalid(of, name, "metadata.annotations", "Too long: may not be more than 262144 bytes");
  const isNew = finalizers.some((one) => !live?.metadata.finalizers?.includes(one));
  if (deletionTimestamp && isNew) throw invalid(of, name, "metadata.finalizers", "Forbidden: the object is being deleted");
  if (next["stringData"]) throw invalid(of, name, "stringData", "this server does not encode: give data in base64");
  if (!of.custom) return { ...next, metadata };
  const whole = { ...without(next, "status"), ...only(live, "status"), metadata };
  const isSame = live && isDeepStrictEqual(without(whole, "metadata", "status"), without(live, "metadata", "status"));
  return isSame ? whole : { ...whole, metadata: { ...metadata, generation: (live?.metadata.generation ?? 0) + 1 } };
}
