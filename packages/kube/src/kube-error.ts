import { CountersignError, type Stage } from "@countersign/core";
import { HttpError } from "@countersign/http";
import { CredentialsError } from "./credentials.ts";

/** A Kubernetes Status, as far as decisions rest on it (apimachinery metav1.Status). */
export interface Status {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[];
  readonly retryAfterMs?: number;
}

/** The API server said no. The message is ours: what was asked and what came, never the body. */
export class KubeError extends Error {
  readonly status: Status;
  constructor(message: string, status: Status) {
    super(message);
    this.name = "KubeError";
    this.status = status;
  }
  get code(): number {
    return this.status.code;
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof KubeError && error.code === 404;
/** A list or watch that asks for a version which is gone: list anew. */
export const isExpired = (error: unknown): boolean =>
  error instanceof KubeError && (error.code === 410 || error.status.reason === "Expired");

/** A Status out of an answer's body; what is no Status still has its code. */
export function statusOf(code: number, body: unknown, retryAfter?: string): Status {
  const { reason, message, details } = objectOf(body);
  const { causes, retryAfterSeconds } = objectOf(details);
  const seconds = typeof retryAfterSeconds === "number" ? retryAfterSeconds : Number(retryAfter);
  return {
    code,
    // A word that sentences may repeat; whoever answers for the API server could put anything there.
    reason: typeof reason === "string" && /^\w{1,63}$/.test(reason) ? reason : "",
    message: typeof message === "string" ? message : "",
    causes: Array.isArray(causes) ? causes.map(objectOf) : [],
    ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
  };
}

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** Whatever the cluster does wrong is an outage of the cluster: waited for, never counted against a run. */
export function clusterFault(stage: Extract<Stage, "read" | "mark">, what: string, error: unknown): CountersignError {
  if (CountersignError.is(error)) return error;
  if (error instanceof KubeError) {
    const { code, retryAfterMs } = error.status;
    if (code === 403) return new CountersignError(`${stage}.forbidden`, `${what}: ${error.message}`, { retry: "wait", cause: error });
    return new CountersignError(`${stage}.api-refused`, `${what}: ${error.message}`, { retry: "wait", retryAfterMs, cause: error });
  }
  if (error instanceof CredentialsError)
    return new CountersignError(`${stage}.credentials`, `${what}: ${error.message}`, { retry: "wait", cause: error });
  if (error instanceof HttpError) {
    const sentence = `${what}: the API server does not answer (${error.fault}); it is tried again`;
    return new CountersignError(`${stage}.api-unreachable`, sentence, { retry: "wait", cause: error });
  }
  throw error;
}
