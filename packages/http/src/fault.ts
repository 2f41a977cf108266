/**
 * Why there was no answer. connect, dns, timeout and reset pass, and so does paused: nobody was asked, since the origin is out of order.
 * tls, too-large and refused-host stay until somebody changes something.
 */
export type HttpFault = "connect" | "dns" | "tls" | "timeout" | "reset" | "paused" | "too-large" | "refused-host";

/** The message names method, origin and path, and what went wrong; never headers, query values or bodies. */
export class HttpError extends Error {
  readonly fault: HttpFault;
  /** Of Node or OpenSSL, where there is one: "ECONNREFUSED", "SELF_SIGNED_CERT_IN_CHAIN". */
  readonly code: string | undefined;
  constructor(fault: HttpFault, message: string, options?: { cause?: unknown; code?: string | undefined }) {
    super(message, options && "cause" in options ? { cause: options.cause } : undefined);
    this.name = "HttpError";
    this.fault = fault;
    this.code = options?.code;
  }
}

/** What the errors of sockets, OpenSSL and undici mean; `what` is "GET https://host/path". */
export function httpErrorFrom(error: unknown, what: string): HttpError {
  if (error instanceof HttpError) return error;
  const code = codeOf(error);
  const [fault, sentence] = meaningOf(code, error);
  return new HttpError(fault, `${what}: ${sentence}${code ? ` (${code})` : ""}`, { cause: error, code });
}

type Meaning = readonly [HttpFault, string];

function meaningOf(code: string | undefined, error: unknown): Meaning {
  if (!code) return ["reset", "the connection failed"];
  const known = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  if (known) return known;
  // A peer that answers in clear text or with an alert, or a certificate that leads to no CA we trust.
  if (/^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|UNABLE_TO_|CRL_|ERROR_IN_|SELF_SIGNED|DEPTH_ZERO|INVALID_|EPROTO|HOSTNAME_|PATH_LENGTH)/.test(code))
    return ["tls", isUntrusted(error) ? "the certificate is not trusted" : "no TLS connection came about"];
  return ["reset", code.startsWith("HPE_") ? "the answer is not HTTP" : "the connection failed"];
}

const meanings: Readonly<Record<string, Meaning>> = {
  ENOTFOUND: ["dns", "the host name does not resolve"],
  EAI_AGAIN: ["dns", "the name server does not answer"],
  EAI_FAIL: ["dns", "the name server failed"],
  EAI_NODATA: ["dns", "the host name has no address"],
  ECONNREFUSED: ["connect", "connection refused"],
  EHOSTUNREACH: ["connect", "host unreachable"],
  ENETUNREACH: ["connect", "network unreachable"],
  EADDRNOTAVAIL: ["connect", "no local address left"],
  EMFILE: ["connect", "no file descriptor left"],
  ETIMEDOUT: ["timeout", "the connection timed out"],
  UND_ERR_CONNECT_TIMEOUT: ["timeout", "no connection came about in time"],
  UND_ERR_HEADERS_OVERFLOW: ["too-large", "the answer's headers are too large"],
  ECONNRESET: ["reset", "the connection was cut"],
  EPIPE: ["reset", "the connection was cut"],
  UND_ERR_SOCKET: ["reset", "the connection was cut"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ["reset", "the answer ended early"],
  UND_ERR_ABORTED: ["connect", "the proxy refused the connection"],
  UND_ERR_PRX_CONN: ["connect", "the proxy cut the connection"],
  UND_ERR_PRX_TLS: ["tls", "the proxy's certificate is not trusted"],
};

/** The certificate chain or its names were judged, and found wanting; as opposed to a peer that speaks no TLS. */
export function isUntrusted(error: unknown): boolean {
  const code = error instanceof HttpError ? error.code : codeOf(error);
  return (
    code !== undefined &&
    /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|INVALID_PURPOSE|HOSTNAME_|PATH_LENGTH|CRL_)/.test(code)
  );
}

/** Of the error or of what caused it; several failed addresses give the first one's. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown };
  if (typeof code === "string" && /^[A-Z0-9_]+$/.test(code)) return code;
  if (Array.isArray(errors)) return codeOf(errors[0]);
  return codeOf(cause);
}

/** Who asked has nothing to answer for: the far side, or the way there, is out of order for now. A status or an error. */
export function isOutage(statusOrError: unknown): boolean {
  if (typeof statusOrError === "number") return statusOrError >= 500 || [408, 425, 429].includes(statusOrError);
  return statusOrError instanceof HttpError && ["connect", "dns", "timeout", "reset", "paused"].includes(statusOrError.fault);
}
