import { HttpError, isOutage } from "./fault.ts";

export interface BreakerOptions {
  /** So many failures in a row, and nothing is sent but a probe now and then. Default 5. */
  readonly failures?: number;
  /** How long until the first probe; each one that fails doubles it. Default 1 s. */
  readonly firstMs?: number;
  /** Default 30 s. */
  readonly mostMs?: number;
  /** Milliseconds; default Date.now. */
  readonly now?: () => number;
  /** Told when an origin answers again that was out of order for at least ten seconds. Whoever waits for it need not wait longer. */
  readonly recovered?: (origin: string, downMs: number) => void;
}

/** Knows which origins are out of order. Hand one to several http() and they know it together. */
export interface Breaker {
  /** @throws HttpError "paused" without asking, while the origin is given a rest; otherwise what `ask` throws */
  ask<T extends { readonly status: number }>(origin: string, what: string, ask: () => Promise<T>): Promise<T>;
  /** Whether it has not once answered well for ten seconds or more: whoever comes again anyway need not try three times each time. */
  isDown(origin: string): boolean;
}

interface Trouble {
  readonly since: number;
  failures: number;
  restUntil: number;
  restMs: number;
  probing: boolean;
}

/** Origins come from users: memory must have an end. */
const mostOrigins = 1_000;
const longMs = 10_000;

/**
 * A circuit breaker for each origin: one that is down costs neither workers nor their time. What counts against it is no answer, 502, 503
 * or 504; other outages (429, 500) may be about one request, so they are trouble but never a reason to stop asking.
 */
export function breaker(options: BreakerOptions = {}): Breaker {
  const { failures: limit = 5, firstMs = 1_000, mostMs = 30_000, now = Date.now, recovered } = options;
  const troubled = new Map<string, Trouble>();

  function failed(origin: string, hard: boolean): void {
    const trouble = troubled.get(origin) ?? { since: now(), failures: 0, restUntil: 0, restMs: firstMs, probing: false };
    if (!troubled.has(origin) && troubled.size >= mostOrigins) troubled.delete(troubled.keys().next().value ?? "");
    troubled.set(origin, trouble);
    if (!hard) return;
    trouble.failures += 1;
    // Those that were under way when the rest began tell nothing new.
    if (trouble.failures < limit || now() < trouble.restUntil) return;
    trouble.restUntil = now() + trouble.restMs;
    trouble.restMs = Math.min(mostMs, trouble.restMs * 2);
  }

  function answered(origin: string): void {
    const trouble = troubled.get(origin);
    if (!trouble) return;
    troubled.delete(origin);
    const downMs = now() - trouble.since;
    if (downMs >= longMs) recovered?.(origin, downMs);
  }

  return {
    isDown(origin) {
      const trouble = troubled.get(origin);
      return trouble !== undefined && now() - trouble.since >= longMs;
    },
    async ask(origin, what, ask) {
      const trouble = troubled.get(origin);
      const isOpen = trouble !== undefined && trouble.failures >= limit;
      if (isOpen && (trouble.probing || now() < trouble.restUntil))
        throw new HttpError(
          "paused",
          `${what}: not asked, since ${origin} failed ${trouble.failures} times in a row; it is asked again shortly`,
        );
      if (isOpen) trouble.probing = true;
      try {
        const answer = await ask();
        if (isOutage(answer.status)) failed(origin, [502, 503, 504].includes(answer.status));
        else answered(origin);
        return answer;
      } catch (error) {
        if (isOutage(error)) failed(origin, true);
        throw error;
      } finally {
        if (isOpen) trouble.probing = false;
      }
    },
  };
}
