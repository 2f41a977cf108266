import type { LookupAddress, LookupAllOptions } from "node:dns";
import type { Breaker } from "./breaker.ts";

/** What leaves the process, and under which limits. */
export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** The answer's body may have at most so many bytes. Default 16 MiB. */
  readonly maxBytes?: number;
  /**
   * Tries in all, the first included, for connection faults and 408, 425, 429, 5xx; 1 turns repeating off.
   * Default 3 for GET, HEAD, PUT and DELETE; 1 for POST and PATCH, which are repeated only when told.
   */
  readonly tries?: number;
  /** How long until the answer's headers. Default 30 s. */
  readonly headersMs?: number;
  /** How long the body may be silent between two chunks. Default 30 s; 0: for ever. */
  readonly idleMs?: number;
  /** How long for everything, tries and pauses included; not for streams. Default: no limit but the signal's. */
  readonly totalMs?: number;
  /** Redirects to follow, for GET and HEAD. Credentials stay with the first origin. Default 0: a redirect is an answer like any other. */
  readonly redirects?: number;
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
  /** Path of a PEM file with CAs that are trusted beside the system's; read again when it was replaced. */
  readonly caFile?: string;
  /** PEM text of CAs trusted instead of the system's (a cluster's own CA). */
  readonly ca?: string;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Skip certificate verification: always, or for the hosts of this list (hosts, "*.domain", addresses, ranges). */
  readonly insecure?: boolean | readonly string[];
  /** Default 5 s. */
  readonly connectMs?: number;
  /** Connections per origin. Default 64. */
  readonly connections?: number;
  /** Proxy variables, default process.env (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in either case). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly userAgent?: string;
  /** How long to pause before retry n (0, 1, …), in milliseconds. Default: anything up to 250 ms · 2ⁿ, at most 5 s. */
  readonly backOffMs?: (retry: number) => number;
  /** Called before a connection to a host named by users; throws to refuse. See host-policy. */
  readonly hostPolicy?: (host: string, address: string) => void;
  /** Gives origins a rest that are out of order. Default none. */
  readonly breaker?: Breaker;
  /** How a name becomes addresses. Default: as the system does it. */
  readonly lookup?: (
    host: string,
    how: LookupAllOptions,
    done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void;
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

/** One shared set of connections; HTTP/1.1 only, so that a watch never shares its socket. */
