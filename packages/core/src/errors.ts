export type Stage = "read" | "format" | "sign" | "witness" | "store" | "mark" | "config";

/**
 * What a failure asks for. never: no use, the run is marked failed. counted: five tries. wait: an outage, tried until it ends,
 * nothing counted. hold: the route pauses until key or configuration changes.
 */
export type Retry = "never" | "counted" | "wait" | "hold";

const marker = Symbol.for("@countersign/error");

/** Every failure that is not a bug. The message names the thing, the cause and the fix; never a secret or a response body. */
export class CountersignError extends Error {
  readonly code: `${Stage}.${string}`;
  readonly retry: Retry;
  /** A server's Retry-After, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: `${Stage}.${string}`, message: string, options: { retry: Retry; retryAfterMs?: number | undefined; cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "CountersignError";
    Object.defineProperty(this, marker, { value: true });
    this.code = code;
    this.retry = options.retry;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** By marker, not by class: two copies of this package in one process do no harm. */
  static is(error: unknown): error is CountersignError {
    return typeof error === "object" && error !== null && marker in error;
  }
}

/** An unknown error is a bug: counted, so that one poison run cannot retry for ever. */
export const retryOf = (error: unknown): Retry => (CountersignError.is(error) ? error.retry : "counted");
