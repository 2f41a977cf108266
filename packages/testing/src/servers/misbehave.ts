import {
  type IncomingMessage,
  request as plainRequest,
  createServer as plainServer,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { request as secureRequest, createServer as secureServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { bodyOf, listening } from "./listening.ts";
import { type GuardOptions, tokenGuard } from "./token-guard.ts";

/** What can be wrong with a server or the way to it. */
export type Fault =
  /** Answered by the proxy itself; the body carries the canary unless it is given. */
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The request is done behind the proxy, but the answer never comes: the writer cannot know. */
  | { readonly kind: "lost-answer" }
  /** The connection breaks after so many bytes of the answer's body, or before its head. */
  | { readonly kind: "cut"; readonly afterBytes?: number }
  /** The request is taken, nothing is done, nothing is ever answered. */
  | { readonly kind: "half-open" }
  | { readonly kind: "delay"; readonly ms: number }
  /** The answer's body trickles, one byte at a time. */
  | { readonly kind: "slow"; readonly msPerByte: number }
  /** A 200 with bytes that nobody can read. */
  | { readonly kind: "garbage" }
  /** The answer with one bit of its body changed; its digest and length say what they said. */
  | { readonly kind: "flip" }
  /** A 200 whose body never ends. */
  | { readonly kind: "endless" };

export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  /** Of the answer; undefined when there was none. */
  status: number | undefined;
}

export interface MisbehaveOptions {
  /** PEM of whom to trust behind the proxy. */
  readonly targetCa?: string;
  /** Demand what a registry demands, whatever the target does. */
  readonly auth?: GuardOptions;
  /** Added to what goes to the target: { authorization: "Bearer …" }. */
  readonly addHeaders?: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly port?: number;
}

export interface Misbehaving {
  readonly host: string;
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly ProxiedRequest[];
  /** Asked for each request; undefined lets it pass unharmed. Replace it at any time. */
  fault: (request: ProxiedRequest) => Fault | undefined;
  /** Told when the target has done it and before the client hears of it; the answer waits. Replace it at any time. */
  answered: (request: ProxiedRequest) => Promise<void> | void;
  /** How many requests had this method (all when absent) and a path that matches. */
  count(method?: string, path?: RegExp): number;
  /** All tokens of the proxy's own door are unknown from now on. */
  expireTokens(): void;
  /** Breaks every open connection now. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Stands in every error body: it must turn up in no log, message, event or annotation. */
export const canary = "canary-3f9c1e-do-not-repeat-me";

/** A proxy in front of a fake or real server ("http://127.0.0.1:5000") that records everything and fails as it is told. */
export async function misbehave(target: string, options: MisbehaveOptions = {}): Promise<Misbehaving> {
  const guard = options.auth && tokenGuard(options.auth);
  const requests: ProxiedRequest[] = [];
  const listener: RequestListener = (request, response) => {
    proxy(request, response).catch(() => response.destroy());
  };
  const server = options.tls ? secureServer(options.tls, listener) : plainServer(listener);
  const { host, close } = await listening(server, options.port);
  const self: Misbehaving = {
    host,
    url: `${options.tls ? "https" : "http"}://${host}`,
    requests,
    fault: () => undefined,
    answered: () => undefined,
    count: (method, path = /^/) => requests.filter((one) => (method === undefined || one.method === method) && path.test(one.path)).length,
    expireTokens: () => guard?.expire(),
    cutAll: () => server.closeAllConnections(),
    close,
  };
  return self;

  async function proxy(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const { method = "GET", url: path = "/", headers } = request;
    const seen: ProxiedRequest = { method, path, headers, body: body.toString("utf8"), status: undefined };
    requests.push(seen);
    const fault = self.fault(seen);
    if (fault?.kind === "half-open") return;
    if (fault?.kind === "delay") await sleep(fault.ms);
    if (fault?.kind === "cut" && fault.afterBytes === undefined) return void response.destroy();
    if (fault?.kind === "status") {
      seen.status = fault.status;
      const said = fault.body ?? JSON.stringify({ errors: [{ code: "UNKNOWN", message: canary }], message: canary, reason: canary });
      return void response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers }).end(said);
    }
    if (fault?.kind === "garbage") {
      seen.status = 200;
      return void response.writeHead(200, { "content-type": "application/json" }).end(`\u0000{"${canary}`);
    }
    if (fault?.kind === "endless") {
      seen.status = 200;
      response.writeHead(200, { "content-type": "application/json" });
      if (method === "HEAD") return void response.end();
      // As fast as the client reads, in turns of the event loop: it lives in this process.
      const flow = (): void => {
        if (response.destroyed) return;
        if (response.write(Buffer.alloc(65_536, canary))) setImmediate(flow);
        else response.once("drain", flow);
      };
      return flow();
    }
    const stopped = guard?.check(request, seen.body);
    if (stopped) {
      seen.status = stopped.status;
      return void response.writeHead(stopped.status, stopped.headers).end(method === "HEAD" ? undefined : stopped.body);
    }
    const answer = await forward(request, response, body);
    await self.answered(seen);
    if (fault?.kind === "lost-answer") {
      answer.resume();
      return void response.destroy();
    }
    seen.status = answer.statusCode;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // The head goes at once: a watch has no body for a long time.
    response.flushHeaders();
    await pass(answer, response, fault);
  }

  function forward(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<IncomingMessage> {
    const { authorization, ...rest } = request.headers;
    // What opened the proxy's door would only puzzle the server behind it.
    const kept = guard || authorization === undefined ? rest : { ...rest, authorization };
    const headers = { ...kept, ...options.addHeaders, ...(body.length > 0 ? { "content-length": `${body.length}` } : {}) };
    const send = target.startsWith("https:") ? secureRequest : plainRequest;
    return new Promise((resolve, reject) => {
      const how = { method: request.method, headers, agent: false, ...(options.targetCa ? { ca: options.targetCa } : {}) };
      const outgoing = send(new URL(request.url ?? "/", target), how, resolve);
      outgoing.on("error", reject);
      response.on("close", () => outgoing.destroy());
      outgoing.end(body);
    });
  }
}

async function pass(answer: IncomingMessage, response: ServerResponse, fault: Fault | undefined): Promise<void> {
  let left = fault?.kind === "cut" ? (fault.afterBytes ?? 0) : Number.POSITIVE_INFINITY;
  let isFlipped = fault?.kind !== "flip";
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (!isFlipped && chunk[0] !== undefined) {
      chunk[0] ^= 1;
      isFlipped = true;
    }
    if (fault?.kind === "slow") {
      for (const byte of chunk) {
        await sleep(fault.msPerByte);
        response.write(Buffer.of(byte));
      }
      continue;
    }
    const part = chunk.subarray(0, left);
    left -= part.length;
    response.write(part);
    if (left > 0) continue;
    // Only what has left the process arrives before the break.
    await new Promise((resolve) => setImmediate(resolve));
    return void response.destroy();
  }
  if (fault?.kind === "cut") return void response.destroy();
  response.end();
}
