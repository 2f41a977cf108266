/** What leaves the process, and under which limits. */
export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** The answer's body may have at most so many bytes. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Tries in all, the first included, for connection faults and 408, 425, 429, 5xx. Default 3; 1 turns repeating off. */
  readonly tries?: number;
  /** How long until the answer's headers. Default 30 s. */
  readonly headersMs?: number;
  /** How long the body may be silent between two chunks. Default 30 s; 0: for ever. */
  readonly idleMs?: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; a repeated header is joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Chunks as they come; leaving the loop closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The one way out of the process. Any status is an answer; only a request without an answer throws HttpError. */
export interface Http {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Never repeated. */
  stream(request: HttpRequest): Promise<HttpStream>;
  close(): Promise<void>;
}

export interface HttpOptions {
  /** Path of a PEM file with CAs that are trusted beside the system's. */
  readonly caFile?: string;
  /** PEM text of CAs trusted instead of the system's (a cluster's own CA). */
  readonly ca?: string;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Skip certificate verification. */
  readonly insecure?: boolean;
  readonly connectMs?: number;
  /** Connections per origin. Default 64. */
  readonly connections?: number;
  /** Proxy variables, default process.env (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in either case). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly userAgent?: string;
  /** Called before a connection to a host named by users; throws to refuse. See host-policy. */
  readonly hostPolicy?: (host: string, address: string) => void;
  /** Told of every request that got an answer or failed; for metrics and tests. */
  readonly observe?: (seen: {
    method: string;
    origin: string;
    path: string;
    status: number | undefined;
    ms: number;
    bytes: number;
  }) => void;
}

/** Why there was no answer. */
export type HttpFault = "connect" | "dns" | "tls" | "timeout" | "reset" | "too-large" | "refused-host";

export class HttpError extends Error {
  readonly fault: HttpFault;
  constructor(fault: HttpFault, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HttpError";
    this.fault = fault;
  }
}
