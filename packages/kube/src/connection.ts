import { type Http, HttpError, type HttpOptions, type HttpStream, http } from "@countersign/http";
import type { KubeCredentials } from "./credentials.ts";
import { KubeError, statusOf } from "./kube-error.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

export interface KubeRequest {
  readonly verb: Verb;
  /** For sentences and RBAC hints: "taskruns", "events". */
  readonly resource: string;
  /** Absolute path, "/apis/tekton.dev/v1/namespaces/ci/taskruns/build". */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal: AbortSignal;
  /** For a watch: how long the server may be silent. */
  readonly idleMs?: number;
}

export interface KubeConnection {
  readonly server: string;
  readonly namespace: string;
  /** The answer's text. @throws KubeError for a refusal, HttpError when there was no answer */
  request(request: KubeRequest): Promise<string>;
  /** The answer as it comes, line after line (each without its newline). */
  lines(request: KubeRequest): Promise<AsyncIterable<string>>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  /** Default: @countersign/http. */
  readonly httpFrom?: (options: HttpOptions) => Http;
  readonly observe?: HttpOptions["observe"];
  /** Default 128 MiB: a list page is capped by its own limit, an object by etcd. */
  readonly maxBytes?: number;
}

const methods = { get: "GET", list: "GET", watch: "GET", create: "POST", update: "PUT", patch: "PATCH", delete: "DELETE" } as const;

/** The wire to one API server: one shared agent, HTTP/1.1, JSON. */
export async function kubeConnection(credentials: KubeCredentials, options: ConnectionOptions = {}): Promise<KubeConnection> {
  const { httpFrom = http, observe, maxBytes = 128 * 2 ** 20 } = options;
  let tls = await credentials.tls();
  const make = (): Http => httpFrom({ ...tls, ...(observe && { observe }), connections: 64, userAgent: "countersign" });
  let wire = make();
  let renewals = 0;
  let renewing: Promise<void> | undefined;

  async function fullRequest({
    verb,
    path,
    query = {},
    body,
    contentType = "application/json",
    signal,
    idleMs,
  }: KubeRequest): Promise<FullRequest> {
    const url = new URL(credentials.server + path);
    // A name like ".." would make it another question.
    if (!url.pathname.endsWith(path)) throw new KubeError(`${path} is no path of the API server`, statusOf(404, undefined));
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const headers = {
      accept: "application/json",
      ...(await credentials.headers()),
      ...(body !== undefined && { "content-type": contentType }),
    };
    return {
      method: methods[verb],
      url,
      headers,
      signal,
      maxBytes,
      tries: 1, // whoever asks knows better when to ask again: a visit, or the list-watch loop
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A watch that is not even opened is as dead as one that hangs.
      ...(idleMs !== undefined && { idleMs, headersMs: Math.min(idleMs, 30_000) }),
    };
  }

  /** Asked once however many were refused at the same time. The wire is cut only where its certificates are others now. */
  async function renewed(): Promise<void> {
    const now = await credentials.tls();
    renewals++;
    if (JSON.stringify(now) === JSON.stringify(tls)) return;
    const old = wire;
    tls = now;
    wire = make();
    old.close().catch(() => undefined);
  }

  /** New credentials and certificates once, when the server no longer knows us. */
  async function letIn<T extends { status: number }>(
    request: KubeRequest,
    how: (wire: Http, full: FullRequest) => Promise<T>,
    leave: (refused: T) => Promise<unknown>,
  ): Promise<T> {
    const full = await fullRequest(request);
    const before = renewals;
    const first = await how(wire, full);
    if (first.status !== 401) return first;
    await leave(first);
    if (before === renewals) {
      renewing ??= renewed().finally(() => {
        renewing = undefined;
      });
      await renewing;
    }
    const again = await fullRequest(request);
    return how(wire, again);
  }

  return {
    server: credentials.server,
    namespace: credentials.namespace,
    async request(request) {
      const { status, headers, body } = await letIn(
        request,
        (via, full) => via.request(full),
        async () => undefined,
      );
      const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
      if (status >= 200 && status < 300) return text;
      throw refusal(request, status, text, headers["retry-after"]);
    },
    async lines(request) {
      const answer = await letIn(request, (via, full) => via.stream(full), left);
      if (answer.status === 200) return linesOf(answer, maxBytes);
      throw refusal(request, answer.status, await wholeText(answer), answer.headers["retry-after"]);
    },
    close: () => wire.close(),
  };
}

type FullRequest = Parameters<Http["request"]>[0];

function refusal({ verb, resource, path }: KubeRequest, code: number, text: string, retryAfter: string | undefined): KubeError {
  const status = statusOf(code, jsonOrNothing(text), retryAfter);
  return new KubeError(sentenceOf(verb, resource, path, status), status);
}

function sentenceOf(verb: Verb, resource: string, path: string, { code, reason }: Status): string {
  const said = `${code}${reason ? ` ${reason}` : ""}`;
  if (code === 403)
    return `the API server does not allow verb "${verb}" on ${resource} (${said} for ${path}); grant it in the controller's role`;
  if (code === 401) return `the API server does not know us (${said} for ${verb} ${path}); check the token or the kubeconfig`;
  return `the API server answered ${said} to ${verb} ${path}`;
}
type Status = KubeError["status"];

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A refusal's body is a Status; more than a little of it is no use to anybody. */
async function wholeText({ body }: HttpStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 64 * 1024) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Leaving the loop closes the connection. */
async function left({ body }: HttpStream): Promise<void> {
  for await (const _chunk of body) break;
}

/** Split at LF bytes only: strings inside may hold any other line separator. What the end cuts off is no line. */
async function* linesOf({ body }: HttpStream, maxBytes: number): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    let buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10)) {
      const line = rest.length > 0 ? Buffer.concat([...rest, buffer.subarray(0, end)]) : buffer.subarray(0, end);
      [rest, size] = [[], 0];
      buffer = buffer.subarray(end + 1);
      if (line.length > 0) yield line.toString("utf8");
    }
    size += buffer.length;
    if (size > maxBytes) throw new HttpError("too-large", `a line of the API server's answer is larger than ${maxBytes} bytes`);
    if (buffer.length > 0) rest.push(Buffer.from(buffer));
  }
}
