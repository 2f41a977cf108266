import { HttpError } from "./fault.ts";

/** An abort that is the caller's or a deadline's; the signal's reason says whose. */
export interface Leash {
  readonly signal: AbortSignal;
  /** Aborts with `reason()` after `ms`, counted from now; replaces the limit before. 0: none. */
  limit(ms: number, reason?: () => HttpError): void;
  /** Lets go of the timer and of the caller's signal, which may live as long as the process. */
  release(): void;
}

export function leash(caller: AbortSignal): Leash {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(caller.reason);
  if (caller.aborted) onAbort();
  else caller.addEventListener("abort", onAbort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: stop.signal,
    limit(ms, reason) {
      clearTimeout(timer);
      timer = ms > 0 ? setTimeout(() => stop.abort(reason?.()), ms) : undefined;
    },
    release() {
      clearTimeout(timer);
      caller.removeEventListener("abort", onAbort);
    },
  };
}

/** A promise that does not watch the signal itself (a connection under way), left behind when the signal aborts. */
export async function within<T>(signal: AbortSignal, promise: Promise<T>, late: (value: T) => void): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([promise, aborted.promise]);
  } catch (error) {
    promise.then(late, () => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export interface Cap {
  readonly maxBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly what: string;
}

/** All of a body, or, beyond maxBytes, an error at once: leaving the loop closes the connection. */
export async function capped(chunks: AsyncIterable<Uint8Array>, { maxBytes, headers, what }: Cap): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw new HttpError("too-large", `${what}: the answer is larger than ${maxBytes} bytes${announced(headers)}`);
    parts.push(chunk);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
}

const announced = (headers: Readonly<Record<string, string>>): string => {
  const length = headers["content-length"];
  return length && /^\d+$/.test(length) ? ` (${length} announced)` : "";
};
