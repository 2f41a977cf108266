import { type Call, CountersignError } from "@countersign/core";
import { type Http, HttpError, type HttpRequest, type HttpResponse, isOutage, isUntrusted, placeOf, retryAfterMs } from "@countersign/http";

export interface ServerOptions {
  /** As configured: may have a base path, and may end in a slash. */
  readonly url: string;
  readonly http: Pick<Http, "request">;
  /** How long one try may take until the answer begins. Default 25 s: Rekor v2 answers only after it has published. */
  readonly timeoutMs?: number;
}

export interface Question {
  readonly method?: "GET" | "POST";
  /** Below the server's address, with a leading slash. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer extends HttpResponse {
  /** "POST https://log.example/api/v1/log/entries", for sentences. */
  readonly what: string;
}

/** A log or a timestamp authority: who it is in sentences and codes ("witness.log-…"), and whose key of the configuration names it. */
export interface Role {
  readonly code: "log" | "timestamp";
  readonly name: string;
  readonly key: string;
}

export interface Server {
  /** Without the slash at the end. @throws CountersignError "config.…-url", hold */
  base(): string;
  /**
   * Any answer but an outage. What it takes is taken once: the same again is a conflict or changes nothing, so that a question without
   * answer is asked again. @throws CountersignError "witness.…-unavailable" (wait), "witness.…-unreachable" (counted)
   */
  ask(question: Question, call: Call): Promise<Answer>;
  /** For what is no outage and no good answer; it names place and status, never the answer's words. */
  refusal(answer: Answer, hint: string): CountersignError;
}

export function serverAt({ url, http, timeoutMs = 25_000 }: ServerOptions, role: Role): Server {
  return { base, ask, refusal };

  function base(): string {
    const { protocol, username, search } = URL.canParse(url) ? new URL(url) : { protocol: "", username: "", search: "" };
    if (["http:", "https:"].includes(protocol) && username === "" && search === "") return url.trim().replace(/\/+$/, "");
    const sentence = `${role.key} ${url === "" ? "is empty" : "is no plain http or https URL"}: give the address of the ${role.name}, or switch it off`;
    throw new CountersignError(`config.${role.key.replaceAll(".", "-")}`, sentence, { retry: "hold" });
  }

  async function ask({ method = "GET", path, body, headers }: Question, { signal }: Call): Promise<Answer> {
    const request: HttpRequest = {
      method,
      url: `${base()}${path}`,
      headers: { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body }),
      signal,
      tries: 3,
      headersMs: timeoutMs,
      totalMs: timeoutMs * 2.4,
      maxBytes: 8 * 1024 * 1024,
    };
    const what = `${method} ${placeOf(request.url)}`;
    const answer = await http.request(request).catch((error: unknown) => {
      throw signal.aborted ? error : unanswered(error);
    });
    // 501: this server will never do it.
    if (!isOutage(answer.status) || answer.status === 501) return { ...answer, what };
    const sentence = `${what} answered ${answer.status}: the ${role.name} is out of order, it is asked again later`;
    throw new CountersignError(`witness.${role.code}-unavailable`, sentence, { retry: "wait", retryAfterMs: retryAfterMs(answer.headers) });
  }

  function unanswered(error: unknown): unknown {
    if (!(error instanceof HttpError)) return error;
    if (isOutage(error))
      return new CountersignError(`witness.${role.code}-unavailable`, `${error.message}; it is asked again later`, {
        retry: "wait",
        cause: error,
      });
    const fix = isUntrusted(error) ? "give its CA to the process" : `see ${role.key}`;
    return new CountersignError(`witness.${role.code}-unreachable`, `${error.message}; ${fix}`, { retry: "counted", cause: error });
  }

  function refusal({ what, status }: Answer, hint: string): CountersignError {
    return new CountersignError(`witness.${role.code}-refused`, `${what} answered ${status}: ${hint}`, { retry: "counted" });
  }
}

export const theLog: Role = { code: "log", name: "transparency log", key: "transparency.url" };
export const theAuthority: Role = { code: "timestamp", name: "timestamp authority", key: "transparency.tsa.url" };

/** A server behind a broken gateway, most likely; its words are not shown, they may be anybody's. */
export function garbled({ what, status }: Answer, { code, name }: Role = theLog): CountersignError {
  const sentence = `${what} answered ${status} with something that is no ${name}'s answer; it is asked again later`;
  return new CountersignError(`witness.${code}-garbled`, sentence, { retry: "wait" });
}

/** Undefined for what is no JSON. */
export function jsonIn({ body }: Answer): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}
