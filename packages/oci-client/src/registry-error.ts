import { HttpError, type HttpResponse, isOutage, isUntrusted, retryAfterMs } from "@countersign/http";
import { anonymous } from "./credential.ts";

export interface RegistryErrorFacts {
  /** "GET manifest", "PUT blob", …. */
  readonly operation: string;
  /** "registry.example/team/app:tag". */
  readonly reference: string;
  /** The registry's answer; undefined when there was none, or none that was sound. */
  readonly status?: number | undefined;
  /** Of the distribution specification, "DENIED", "NAME_UNKNOWN". */
  readonly code?: string | undefined;
  /** Whose credentials were refused. */
  readonly credentialSource?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** It will pass by itself: no answer, 408, 425, 429, 5xx. */
  readonly outage: boolean;
  readonly cause?: unknown;
}

/** A registry that refused, or could not be reached, or gave what is no sound answer. The message repeats nothing of an answer's body. */
export class RegistryError extends Error {
  readonly operation: string;
  readonly reference: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly credentialSource: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly outage: boolean;

  constructor(sentence: string, { operation, reference, status, code, credentialSource, retryAfterMs, outage, cause }: RegistryErrorFacts) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = "RegistryError";
    this.operation = operation;
    this.reference = reference;
    this.status = status;
    this.code = code;
    this.credentialSource = credentialSource;
    this.retryAfterMs = retryAfterMs;
    this.outage = outage;
  }
}

export interface Asked {
  readonly operation: string;
  readonly reference: string;
}

export function refusalFrom(
  { operation, reference }: Asked,
  { status, headers, body }: HttpResponse,
  credentialSource: string,
  refused?: { readonly sources: readonly string[]; readonly scope: string },
): RegistryError {
  const code = codeFrom(body);
  const hint = hintFor(status, refused?.sources ?? [credentialSource], refused?.scope);
  const sentence = `${operation} ${reference}: the registry answered ${status}${code ? ` ${code}` : ""}${hint}`;
  const wait = retryAfterMs(headers);
  return new RegistryError(sentence, {
    operation,
    reference,
    status,
    code,
    credentialSource,
    retryAfterMs: wait,
    outage: isOutage(status),
  });
}

/** No answer at all. An abort is nobody's failure and stays what it is. */
export function unanswered({ operation, reference }: Asked, error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  const hint = isUntrusted(error) ? "; add its CA, or allow insecure registries" : "";
  return new RegistryError(`${operation} ${reference}: ${error.message}${hint}`, {
    operation,
    reference,
    outage: isOutage(error),
    cause: error,
  });
}

export const unsound = ({ operation, reference }: Asked, what: string): RegistryError =>
  new RegistryError(`${operation} ${reference}: ${what}`, { operation, reference, outage: false });

function hintFor(status: number, sources: readonly string[], scope?: string): string {
  const asked = scope ? `, asked for ${scope}` : "";
  if ((status === 401 || status === 403) && sources.every((source) => source === anonymous.source))
    return `${asked} and no credentials were found for it; give some (in a cluster: a dockerconfigjson Secret listed in the run's ServiceAccount under secrets)`;
  if (status === 401 || status === 403)
    return ` to ${[...new Set(sources)].join(" and ")}${asked}; ${sources.length > 1 ? "one of them" : "these credentials"} must be allowed to do that`;
  if (status === 404) return "; does the repository exist?";
  if (status === 413) return "; it takes nothing so large";
  return "";
}

/** The one thing worth knowing of an error body, if it looks like what the specification has in mind. */
function codeFrom(body: Uint8Array): string | undefined {
  try {
    const { errors } = JSON.parse(Buffer.from(body).toString("utf8")) as { errors?: readonly { code?: unknown }[] };
    const code = errors?.[0]?.code;
    return typeof code === "string" && /^[A-Z][A-Z_]{1,39}$/.test(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
