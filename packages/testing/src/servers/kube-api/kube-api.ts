import { type IncomingMessage, createServer as plainServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as secureServer } from "node:https";
import { bodyOf, listening } from "../listening.ts";
import { discovery } from "./discovery.ts";
import { objectStore } from "./object-store.ts";
import type { KubeObject } from "./objects.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { groupVersion, resources } from "./resources.ts";
import { type Target, verbs } from "./verbs.ts";
import { viewFor } from "./view.ts";
import { watch } from "./watch.ts";
import { born } from "./writes.ts";

export interface KubeApiOptions {
  /** Bearer token to user name; without it everybody is "admin". There is no authorization. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** PEM; without it the server speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Namespaces that exist from the start, besides default and kube-system. */
  readonly namespaces?: readonly string[];
  /** How often a watch that wants bookmarks gets one: a minute, as with a real server, unless a test is in a hurry. */
  readonly bookmarkEveryMs?: number;
  readonly port?: number;
}

/** One request to a resource, in the order of the answers; a watch counts when it starts. */
export interface SeenRequest {
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly name: string | undefined;
  readonly code: number;
}

export interface KubeApi {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Stores objects as they are given, status, uid and annotations included; namespace "default" unless they name one. */
  seed(...objects: readonly object[]): void;
  /** peek("taskruns", "default", "build-1"). */
  peek(plural: string, namespace: string, name: string): KubeObject | undefined;
  /** From now on, older resource versions and continue tokens are answered with 410. */
  compact(): void;
  /** Cuts every connection, watches included. */
  close(): Promise<void>;
}

const largestBody = 3 * 1024 * 1024;

/** An API server for the kinds that provenance needs: honest about versions, conflicts, ownership and watches, without authorization. */
export async function kubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const time = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
  const store = objectStore();
  const can = verbs(store, time);
  const seen: SeenRequest[] = [];

  function seed(object: KubeObject): void {
    const of = resources.find((one) => one.kind === object.kind && groupVersion(one) === object.apiVersion);
    if (of === undefined) throw new Error(`This server keeps no ${object.apiVersion} ${object.kind}.`);
    const metadata = { ...(of.namespaced ? { namespace: "default" } : {}), ...object.metadata };
    const made = born(of, { ...object, metadata }, time());
    store.put(of, { ...made, ...object, metadata: { ...made.metadata, ...metadata } });
  }
  for (const name of ["default", "kube-system", ...(options.namespaces ?? [])]) {
    seed({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { "kubernetes.io/metadata.name": name } } });
  }

  const listener: RequestListener = (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof NoSuchPath) return response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
      const refusal = error instanceof Refusal ? error : new Refusal(500, "InternalError", String(error));
      if (response.headersSent) response.destroy();
      else send(response, refusal.code, refusal.status);
    });
  };
  const server = options.tls ? secureServer(options.tls, listener) : plainServer(listener);
  const { host, close } = await listening(server, options.port);
  return {
    url: `${options.tls ? "https" : "http"}://${host}`,
    seen,
    seed: (...objects) => objects.forEach((object) => void seed(object as KubeObject)),
    peek: (plural, namespace, name) => {
      const of = resources.find((one) => one.plural === plural);
      return of && store.get(of, of.namespaced ? namespace : "", name);
    },
    compact: () => {
      store.compact();
      can.forgetPages();
    },
    close,
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://localhost");
    const body = await bodyOf(request);
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const user = options.tokens ? options.tokens[token] : "admin";
    if (user === undefined) throw new Refusal(401, "Unauthorized", "Unauthorized");
    if (["/readyz", "/livez", "/healthz"].includes(pathname)) return void response.end("ok");
    const found = discovery(pathname);
    if (found) return send(response, 200, found);

    const target = targetOf(pathname);
    const verb = verbOf(request.method ?? "", target, query);
    const note = (code: number): void => void seen.push({ user, verb, resource: target.of.plural, name: target.name, code });
    try {
      if (body.length > largestBody) throw new Refusal(413, "RequestEntityTooLarge", `Request entity too large: limit is ${largestBody}`);
      const accept = request.headers.accept ?? "";
      if (verb === "watch") {
        watch(store, target, query, accept, options.bookmarkEveryMs ?? 60_000, response);
        return note(200);
      }
      const { code, answered } = run(verb, target, query, request, body, accept);
      note(code);
      send(response, code, answered);
    } catch (error) {
      note(error instanceof Refusal ? error.code : 500);
      throw error;
    }
  }

  function run(verb: string, target: Target, query: URLSearchParams, request: IncomingMessage, body: Buffer, accept: string): Answered {
    const view = viewFor(accept);
    const one = (object: KubeObject, code = 200): Answered => ({ code, answered: view([object], undefined) });
    const contentType = (request.headers["content-type"] ?? "").split(";")[0] ?? "";
    const manager = query.get("fieldManager") || (request.headers["user-agent"] ?? "unknown").split("/")[0] || "unknown";
    if (contentType.includes("protobuf") || contentType.includes("cbor")) {
      throw new Refusal(
        415,
        "UnsupportedMediaType",
        "this server reads JSON only (kubectl: create … --dry-run=client -o yaml | kubectl apply -f -)",
      );
    }
    const sent = { body: parsed(body), contentType, manager, query };
    if (verb === "get") return one(can.get(target));
    if (verb === "create") return one(can.create(target, sent), 201);
    if (verb === "update") return one(can.update(target, sent));
    if (verb === "delete") return { code: 200, answered: can.delete(target, sent) };
    if (verb === "list") {
      const { items, metadata } = can.list(target, query);
      return { code: 200, answered: view(items, { of: target.of, metadata }) };
    }
    const { object, created } = can.patch(target, sent);
    return one(object, created ? 201 : 200);
  }
}

interface Answered {
  readonly code: number;
  readonly answered: object;
}

class NoSuchPath extends Error {}

/** /api/v1/namespaces/{namespace}/{plural}/{name}/{subresource}, and the shorter forms of it. */
function targetOf(path: string): Target {
  const [, group, version, rest] = /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(.+?)\/?$/.exec(path) ?? [];
  const steps = (rest ?? "").split("/").map(decodeURIComponent);
  const within = steps[0] === "namespaces" && steps.length > 2 && !["status", "finalize"].includes(steps[2] ?? "");
  const [plural, name, subresource] = within ? steps.slice(2) : steps;
  const of = resources.find((one) => one.plural === plural && one.group === (group ?? "") && one.version === version);
  const known = subresource === undefined || (subresource === "status" && of?.status);
  if (of === undefined || !known) throw new NoSuchPath();
  return { of, namespace: within ? steps[1] : undefined, name, subresource };
}

function verbOf(method: string, { name }: Target, query: URLSearchParams): string {
  if (method === "GET" && /^(1|true)$/.test(query.get("watch") ?? "")) return "watch";
  if (method === "GET") return name === undefined ? "list" : "get";
  if (method === "POST" && name === undefined) return "create";
  const verb = { PUT: "update", PATCH: "patch", DELETE: "delete" }[method];
  if (verb !== undefined && name !== undefined) return verb;
  throw new Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

/** JSON only: it is what kubectl sends for apply, too, and JSON is YAML. */
function parsed(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw badRequest("the body is no JSON");
  }
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
