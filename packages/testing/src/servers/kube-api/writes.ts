import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type Call, jsonOf, objectOf } from "./call.ts";
import { applied, updated } from "./managed-fields.ts";
import type { ObjectStore } from "./object-store.ts";
import { fixed, type KubeObject, type Metadata, only, without } from "./objects.ts";
import { patches } from "./patches.ts";
import { alreadyExists, badRequest, conflict, invalid, notFound, Refusal } from "./refusal.ts";
import { namespaces, type Resource } from "./resources.ts";

export const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** POST, PUT and every PATCH make a next object of the live one; from there on they share their rules. */
export function write(store: ObjectStore, call: Call): readonly [code: number, object: KubeObject] {
  const { of, namespace, verb, subresource, query, headers } = call;
  if (of.namespaced && !store.get("namespaces", "", namespace)) throw notFound(namespaces, namespace);
  const contentType = headers["content-type"]?.split(";")[0] ?? "";
  const isApply = verb === "patch" && contentType === "application/apply-patch+yaml";
  const sent = verb === "patch" && !isApply ? undefined : objectOf(call);
  const name = sent?.metadata.name ?? call.name;
  const live = store.get(of.plural, namespace, name);
  if (verb === "create" && live) throw alreadyExists(of, name);
  if (!live && (isApply ? subresource : verb !== "create")) throw notFound(of, name);

  const manager = query.get("fieldManager") || headers["user-agent"]?.split("/")[0] || "unknown";
  const how = { operation: isApply ? "Apply" : "Update", ...(subresource && { subresource }) };
  const writer = { manager, ...how, apiVersion: of.apiVersion, time: now(), fieldsType: "FieldsV1" };
  const [next, entries] =
    sent && isApply ? applied(live, scoped(call, sent), writer, query.get("force") === "true") : [sent ?? patched(contentType, call, live)];
  demandPreconditions(call, live, next.metadata);
  const settled = live && subresource ? { ...without(live, "status"), ...only(next, "status") } : settledOf(of, live, next);
  const managedFields = entries ?? updated(live, settled, writer);
  const metadata = { ...without(settled.metadata, "managedFields"), ...(managedFields.length > 0 && { managedFields }) };
  const isGone = metadata.deletionTimestamp !== undefined && !metadata.finalizers;
  return [live ? 200 : 201, store.record(of.plural, { ...settled, metadata }, isGone)];
}

function patched(contentType: string, call: Call, live: KubeObject | undefined): KubeObject {
  const patch = patches[contentType];
  const isTaken = patch && !(call.of.custom && contentType.includes("strategic"));
  if (!isTaken) throw new Refusal(415, "UnsupportedMediaType", `a ${call.of.kind} takes no patch of the type ${contentType}`);
  return patch(live, jsonOf(call)) as KubeObject;
}

/** Of an applied configuration, what its door lets through. */
function scoped({ of, query, subresource }: Call, sent: KubeObject): KubeObject {
  if (!query.get("fieldManager")) throw invalid(of, "", "fieldManager", "Required value: is required for apply patch");
  if (sent.metadata.managedFields) throw badRequest("metadata.managedFields must be nil");
  const metadata = only(sent.metadata, "name", "uid", "resourceVersion") as Metadata;
  return subresource ? { ...without(sent, "spec"), metadata } : without(sent, "status");
}

/** That the writer meant the object that is there, in the version that is there. A PUT and a patch meet another uid in different ways. */
function demandPreconditions({ of, verb }: Call, live: KubeObject | undefined, { name, uid, resourceVersion }: Metadata): void {
  if (verb === "create") return;
  if (verb === "update" && of.custom && !resourceVersion) throw invalid(of, name, "metadata.resourceVersion", "must be specified");
  const isOther = uid !== undefined && uid !== live?.metadata.uid;
  if (isOther && live && verb === "patch") throw invalid(of, name, "metadata.uid", `Invalid value: "${uid}": field is immutable`);
  const isLate = live && resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion;
  if (isOther || isLate) throw conflict(of, name, "this is not the object or the version that was meant; read it again");
}

/** What is stored when `next` is wanted: status has its own door, and identity is nobody's to choose. */
export function settledOf(of: Resource, live: KubeObject | undefined, next: KubeObject): KubeObject {
  // A typed server leaves out what is empty.
  const empty = ["labels", "annotations", "finalizers"].filter((key) => Object.keys(next.metadata[key] ?? {}).length === 0);
  const identity = live ? only(live.metadata, "name", "namespace", ...fixed) : { uid: randomUUID(), creationTimestamp: now() };
  const metadata = { ...without(next.metadata, "generateName", "resourceVersion", ...fixed, ...empty), ...identity } as Metadata;
  demandValid(of, live, { ...next, metadata });
  if (!of.custom) return { ...next, metadata };
  const whole = { ...without(next, "status"), ...only(live, "status"), metadata };
  const isSame = live && isDeepStrictEqual(without(whole, "metadata", "status"), without(live, "metadata", "status"));
  return isSame ? whole : { ...whole, metadata: { ...metadata, generation: (live?.metadata.generation ?? 0) + 1 } };
}

function demandValid(of: Resource, live: KubeObject | undefined, { stringData, metadata }: KubeObject): void {
  const { name, annotations = {}, finalizers = [] } = metadata;
  if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) throw invalid(of, name, "metadata.name", `Invalid value: "${name}"`);
  if (stringData) throw invalid(of, name, "stringData", "this server does not encode: give data in base64");
  const bytes = Buffer.byteLength(Object.entries(annotations).flat().join(""));
  if (bytes > 262_144) throw invalid(of, name, "metadata.annotations", "Too long: may not be more than 262144 bytes");
  const isNew = finalizers.some((one) => !live?.metadata.finalizers?.includes(one));
  if (live?.metadata.deletionTimestamp && isNew) throw invalid(of, name, "metadata.finalizers", "Forbidden: the object is being deleted");
}
