import { type Call, CountersignError } from "@countersign/core";
import { type Http, HttpError, type HttpRequest, isOutage, retryAfterMs } from "@countersign/http";
import type { IdentityToken } from "./token-source.ts";

/** One place that hands out identity tokens. */
export interface Provider {
  /** As configuration names it. */
  readonly name: string;
  /** Whether its surroundings are there; no network is asked. */
  enabled(): Promise<boolean>;
  token(call: Call): Promise<IdentityToken>;
}

/** What a provider lives in; a test brings its own. */
export interface Surroundings {
  readonly http: Pick<Http, "request">;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly audience: string;
}

export interface Question extends Pick<HttpRequest, "method" | "url" | "headers" | "body"> {
  /** "GitHub Actions": who answers. */
  readonly source: string;
  /** What to do when it says no. */
  readonly fix: string;
}

/** A text that a token service answered. Neither question nor answer is ever part of an error. */
export async function asked(
  { http }: Pick<Surroundings, "http">,
  { source, fix, ...question }: Question,
  { signal }: Call,
): Promise<string> {
  const request = { ...question, signal, tries: 3, headersMs: 10_000, totalMs: 20_000, maxBytes: 256 * 1024 };
  const answer = await http.request(request).catch((error: unknown) => {
    if (!(error instanceof HttpError)) throw error;
    const retry = isOutage(error) ? "wait" : "hold";
    // Without a cause: a URL of the environment may carry what is nobody's business.
    throw new CountersignError("sign.token-unreachable", `${source} gives no identity token (${error.fault}); ${fix}`, { retry });
  });
  if (answer.status === 200 || answer.status === 201) return Buffer.from(answer.body).toString();
  const retry = isOutage(answer.status) ? "wait" : "hold";
  const code = retry === "wait" ? "sign.token-unreachable" : "sign.token-refused";
  throw new CountersignError(code, `${source} answered ${answer.status} when asked for an identity token; ${fix}`, {
    retry,
    retryAfterMs: retryAfterMs(answer.headers),
  });
}

/** A string member of a JSON answer. */
export function member(text: string, name: string, source: string): string {
  const value = parsed(text)[name];
  if (typeof value === "string" && value !== "") return value;
  throw new CountersignError("sign.token-unreachable", `${source} answered something that holds no identity token; it is asked again`, {
    retry: "wait",
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // JSON.parse quotes what it was given
  }
}

export const missing = (sentence: string): CountersignError => new CountersignError("sign.token-missing", sentence, { retry: "hold" });
