import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { isMap, type KubeObject, only } from "./objects.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { type Resource, resources } from "./resources.ts";

/** One request to a resource, as the verbs see it; namespace and name are "" where the path has none. */
export interface Call {
  readonly verb: string;
  readonly of: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string | undefined;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Of /api/v1/namespaces/{namespace}/{plural}/{name}/{subresource} and its shorter forms; undefined where there is nothing of that path. */
export function callOf({ method = "", headers }: IncomingMessage, { pathname, searchParams: query }: URL, body: Buffer): Call | undefined {
  const [, group = "", rest = ""] = /^\/api(?:s\/([^/]+))?\/v1\/(.+?)\/?$/.exec(pathname) ?? [];
  const steps = rest.split("/").map(decodeURIComponent);
  const [, namespace = "", ...scoped] = steps[0] === "namespaces" && steps.length > 2 ? steps : [];
  const [plural, name = "", subresource] = scoped.length > 0 ? scoped : steps;
  const of = resources.find((one) => one.plural === plural && one.group === group);
  if (of === undefined || !(subresource === undefined || (subresource === "status" && of.custom))) return undefined;
  const ofOne = { GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };
  const ofMany = { GET: /^(1|true)$/.test(query.get("watch") ?? "") ? "watch" : "list", POST: "create" };
  const verb = new Map(Object.entries(name ? ofOne : ofMany)).get(method);
  if (verb === undefined) throw new Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  const isWhole = headers.accept?.split(",").some((type) => !type.includes("as=")) ?? true;
  if (!isWhole) throw new Refusal(406, "NotAcceptable", "this server gives whole objects as JSON, no tables and no metadata alone");
  if (query.has("dryRun")) throw badRequest("this server knows no dry runs");
  return { verb, of, namespace, name, subresource, query, headers, body };
}

/** JSON only: it is what kubectl sends for apply, too, and JSON is YAML. */
export function jsonOf({ body }: Call): unknown {
  try {
    return JSON.parse(body.toString() || "null");
  } catch {
    throw badRequest("the body is no JSON (kubectl: create … --dry-run=client -o yaml | kubectl apply -f -)");
  }
}

/** The object in the body, which must be of the kind and at the place that the URL says. */
export function objectOf(call: Call): KubeObject {
  const body = jsonOf(call);
  if (!isMap(body) || !isMap(body["metadata"])) throw badRequest("the body is no object with metadata");
  const { metadata } = body as KubeObject;
  const name = call.name || metadata.name || `${metadata["generateName"] ?? ""}${crypto.randomUUID().slice(0, 5)}`;
  const place = { name, ...(call.namespace && { namespace: call.namespace }) };
  const meant = { ...only({ ...call.of }, "apiVersion", "kind"), ...place };
  const found = { ...meant, ...only(body, "apiVersion", "kind"), ...only(metadata, "name", "namespace") };
  if (!isDeepStrictEqual(found, meant)) throw badRequest(`the body is not about the object of the URL, ${JSON.stringify(meant)}`);
  return { ...body, metadata: { ...metadata, ...place } } as KubeObject;
}
