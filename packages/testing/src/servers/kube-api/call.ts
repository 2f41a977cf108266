import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isMap, type JsonMap, type KubeObject, only } from "./objects.ts";
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
  const { of, namespace, name } = call;
  const body = jsonOf(call);
  if (!isMap(body) || !isMap(body["metadata"])) throw badRequest("the body is no object with metadata");
  const { metadata } = body as KubeObject;
  const generated = `${metadata["generateName"] ?? ""}${randomUUID().slice(0, 5)}`;
  const sent: JsonMap = { namespace, name: name || generated, ...only(body, "kind", "apiVersion"), ...only(metadata, "namespace", "name") };
  const wanted: JsonMap = { kind: of.kind, apiVersion: of.apiVersion, namespace, name: name || sent["name"] };
  const wrong = Object.keys(wanted).find((key) => sent[key] !== wanted[key]);
  if (wrong) throw badRequest(`the ${wrong} of the object (${sent[wrong]}) does not match the URL's (${wanted[wrong]})`);
  return { ...body, metadata: { ...metadata, name: sent["name"], ...(namespace && { namespace }) } } as KubeObject;
}
