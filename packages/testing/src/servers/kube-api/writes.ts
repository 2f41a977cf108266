import { randomUUID } from "node:crypto";
import { type KubeObject, type Metadata, sameJson, without } from "./objects.ts";
import { conflict, foreignUid, invalid, Refusal } from "./refusal.ts";
import { qualified, type Resource } from "./resources.ts";

/** A new object as it is stored: with an identity, and without the status that its creator has no say in. */
export function born(of: Resource, given: KubeObject, time: string): KubeObject {
  const { generateName, ...metadata } = given.metadata;
  const name = metadata.name ?? `${generateName ?? ""}${randomUUID().slice(0, 5)}`;
  if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) throw invalid(of, name, "metadata.name", `Invalid value: "${name}"`);
  const stamped = { ...without(metadata, "resourceVersion"), name, uid: randomUUID(), creationTimestamp: time };
  const object = { ...given, metadata: of.custom ? { ...stamped, generation: 1 } : stamped };
  return checked(of, tidy(of.status ? without(object, "status") : object));
}

/** What of `next` a writer may change: status and the rest have separate doors, and identity is nobody's. */
export function changed(of: Resource, live: KubeObject, next: KubeObject, subresource: string | undefined): KubeObject {
  const { uid, resourceVersion } = next.metadata;
  const mine = live.metadata;
  if (uid !== undefined && uid !== mine.uid) throw foreignUid(of, mine.name, uid);
  if (resourceVersion !== undefined && resourceVersion !== mine.resourceVersion) {
    throw conflict(of, mine.name, "the object has been modified; please apply your changes to the latest version and try again");
  }
  if (subresource === "status") return { ...without(live, "status"), ...("status" in next ? { status: next["status"] } : {}) };
  const fixed = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
  ];
  const kept = Object.fromEntries(fixed.filter((key) => mine[key] !== undefined).map((key) => [key, mine[key]]));
  const metadata: Metadata = { ...without(next.metadata, ...fixed), ...kept, name: mine.name };
  const status = of.status ? { ...without(next, "status"), ...("status" in live ? { status: live["status"] } : {}) } : next;
  const added = (metadata.finalizers ?? []).filter((one) => !mine.finalizers?.includes(one));
  if (mine.deletionTimestamp !== undefined && added.length > 0) {
    throw invalid(of, mine.name, "metadata.finalizers", "Forbidden: no new finalizers can be added if the object is being deleted");
  }
  const whole = tidy({ ...status, metadata } as KubeObject);
  const same = !of.custom || sameJson(without(whole, "metadata", "status"), without(live, "metadata", "status"));
  return checked(of, same ? whole : { ...whole, metadata: { ...metadata, generation: (mine.generation ?? 0) + 1 } });
}

/** Empty maps and lists of metadata are left out, as a typed server leaves them out. */
function tidy(object: KubeObject): KubeObject {
  const empty = ["labels", "annotations", "finalizers"].filter((key) => Object.keys(object.metadata[key] ?? {}).length === 0);
  return { ...object, metadata: without(object.metadata, ...empty) };
}

const byteLimit = 262_144;

function checked(of: Resource, object: KubeObject): KubeObject {
  const { name, annotations = {} } = object.metadata;
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > byteLimit) throw invalid(of, name, "metadata.annotations", `Too long: may not be more than ${byteLimit} bytes`);
  const { stringData, ...rest } = object as KubeObject & { stringData?: Record<string, string> };
  if (of.kind !== "Secret" || stringData === undefined) return object;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  return { ...rest, data: { ...(rest["data"] as object | undefined), ...Object.fromEntries(encoded) } };
}

/** A body must be of the kind and at the place its URL says. */
export function addressed(of: Resource, body: KubeObject, namespace: string, name: string | undefined): KubeObject {
  const wanted = of.group ? `${of.group}/${of.version}` : of.version;
  if (body.kind !== of.kind || body.apiVersion !== wanted) {
    throw new Refusal(400, "BadRequest", `${body.apiVersion} ${body.kind} in the body is not the ${wanted} ${of.kind} of the URL`);
  }
  const { metadata } = body;
  if (of.namespaced && (metadata?.namespace ?? namespace) !== namespace) {
    throw new Refusal(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (name !== undefined && (metadata?.name ?? name) !== name) {
    throw new Refusal(
      400,
      "BadRequest",
      `the name of the object (${metadata?.name}) does not match the name on the URL (${name}) of ${qualified(of)}`,
    );
  }
  const place = { ...(name === undefined ? {} : { name }), ...(of.namespaced ? { namespace } : {}) };
  return { ...body, metadata: { ...metadata, ...place } };
}
