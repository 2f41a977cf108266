import { CountersignError, type Retry, retryOf } from "@countersign/core";
import { RegistryError } from "@countersign/oci-client";

/** What a registry's answer asks for. An abort, and what has its retry class already, stay what they are. */
export function storeErrorFrom(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { outage, retryAfterMs, message } = error;
  if (outage)
    return new CountersignError("store.registry-unavailable", `${message}; try again when the registry is back`, {
      retry: "wait",
      retryAfterMs,
      cause: error,
    });
  const code = error.status === 401 || error.status === 403 ? "store.registry-denied" : "store.registry-refused";
  return new CountersignError(code, message, { retry: "counted", cause: error });
}

const mildness: readonly Retry[] = ["hold", "wait", "counted", "never"];

/** Of several failures the one that gives most hope: as long as one place may still come, the run is not given up. */
export function mildestOf(failures: readonly unknown[]): unknown {
  return [...failures].sort((a, b) => mildness.indexOf(retryOf(a)) - mildness.indexOf(retryOf(b)))[0];
}
