import { type IncomingMessage, createServer as plainServer, type ServerResponse } from "node:http";
import { createServer as secureServer } from "node:https";
import { bodyOf, listening } from "../listening.ts";
import { type Call, callOf } from "./call.ts";
import { discovery } from "./discovery.ts";
import { ObjectStore } from "./object-store.ts";
import type { KubeObject } from "./objects.ts";
import { Refusal } from "./refusal.ts";
import { resources } from "./resources.ts";
import { answerOf, settledOf } from "./verbs.ts";
import { watch } from "./watch.ts";

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
export type SeenRequest = Readonly<Record<"user" | "verb" | "resource", string> & { name: string | undefined; code: number }>;

export interface KubeApi {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Stores objects as they are given, status, uid and annotations included; namespace "default" unless they name one. */
  seed(...objects: readonly object[]): void;
  peek(plural: string, namespace: string, name: string): KubeObject | undefined;
  /** From now on, older resource versions and continue tokens are answered with 410. */
  compact(): void;
  /** Cuts every connection, watches included. */
  close(): Promise<void>;
}

/** An API server for the kinds that provenance needs: honest about versions, conflicts, ownership and watches, without authorization. */
export async function kubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const store = new ObjectStore();
  const seen: SeenRequest[] = [];
  const seed = (...objects: readonly object[]): void => {
    for (const object of objects as readonly KubeObject[]) {
      const of = resources.find(({ kind, apiVersion }) => kind === object.kind && apiVersion === object.apiVersion);
      if (of === undefined) throw new Error(`This server keeps no ${object.apiVersion} ${object.kind}.`);
      const metadata = { ...(of.namespaced && { namespace: "default" }), ...object.metadata };
      const made = settledOf(of, undefined, { ...object, metadata });
      store.record(of.plural, { ...made, ...object, metadata: { ...made.metadata, ...metadata } });
    }
  };
  for (const name of ["default", "kube-system", ...(options.namespaces ?? [])])
    seed({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (code: number, body: object): void =>
      void response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
    const user = options.tokens ? (options.tokens[request.headers.authorization?.replace("Bearer ", "") ?? ""] ?? "") : "admin";
    let call: Call | undefined;
    try {
      const body = await bodyOf(request);
      if (!user) throw new Refusal(401, "Unauthorized", "Unauthorized");
      const url = new URL(request.url ?? "/", "http://localhost");
      const found = discovery.get(url.pathname);
      if (found) return send(200, found);
      call = callOf(request, url, body);
      if (call === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
      else if (call.verb === "watch") watch(store, call, options.bookmarkEveryMs ?? 60_000, response);
      else send(...answerOf(store, call));
    } catch (error) {
      const { status } = error instanceof Refusal ? error : new Refusal(500, "InternalError", String(error));
      if (response.headersSent) response.destroy();
      else send(status.code, status);
    }
    if (call) seen.push({ user, verb: call.verb, resource: call.of.plural, name: call.name || undefined, code: response.statusCode });
  }

  const server = options.tls ? secureServer(options.tls, serve) : plainServer(serve);
  const { host, close } = await listening(server, options.port);
  const url = `${options.tls ? "https" : "http"}://${host}`;
  const peek: KubeApi["peek"] = (plural, namespace, name) => store.get(plural, plural === "namespaces" ? "" : namespace, name);
  return { url, seen, seed, peek, compact: () => store.compact(), close };
}
