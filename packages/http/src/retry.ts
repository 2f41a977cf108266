import type { HttpRequest, HttpResponse } from "./exchange.ts";
import { HttpError, isOutage } from "./fault.ts";
import { pause } from "./pause.ts";

/** RFC 9110 section 9.2.2, as far as HttpRequest knows methods. */
export const mayRepeat = (method: HttpRequest["method"] = "GET"): boolean => !["POST", "PATCH"].includes(method);

/** Full jitter: many clients that failed together do not come back together. */
export const backOff = (retry: number): number => Math.random() * Math.min(5_000, 250 * 2 ** retry);

/** A server that asks for more patience than this gets its answer handed on: a caller with a queue waits better than one that holds a worker. */
const longestPauseMs = 10_000;

export interface Repetition {
  readonly tries: number;
  readonly backOffMs: (retry: number) => number;
  readonly signal: AbortSignal;
}

export async function repeated(once: () => Promise<HttpResponse>, { tries, backOffMs, signal }: Repetition): Promise<HttpResponse> {
  for (let retry = 0; ; retry += 1) {
    const last = retry + 1 >= tries;
    try {
      const response = await once();
      if (last || !isOutage(response.status)) return response;
      const asked = retryAfterMs(response.headers) ?? 0;
      if (asked > longestPauseMs) return response;
      await pause(Math.max(asked, backOffMs(retry)), signal);
    } catch (error) {
      if (last || signal.aborted || !isOutage(error) || isPaused(error)) throw error;
      await pause(backOffMs(retry), signal);
    }
  }
}

const isPaused = (error: unknown): boolean => error instanceof HttpError && error.fault === "paused";

/** A server's Retry-After in milliseconds, given in seconds or as a date (RFC 9110 section 10.2.3); at most an hour is believed. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number = Date.now()): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 3_600_000);
}
