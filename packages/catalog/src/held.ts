import { CountersignError, type Signer, type StorageBackend, type Witness } from "@countersign/core";

/**
 * What is configured and cannot be had pauses its own route; all other routes go on. These stand in for it and say why at the moment
 * they are needed.
 */
export const heldSigner = (name: string, why: unknown): Signer => ({ name, sign: () => Promise.reject(why) });
export const heldStorage = (name: string, why: unknown): StorageBackend => ({ name, store: () => Promise.reject(why) });
export const heldWitness = (name: string, why: unknown): Witness => ({ name, testify: () => Promise.reject(why) });

export function unsupported(what: string): CountersignError {
  const sentence = `${what} is not supported yet; set the key to a value that is (countersign check-config tells)`;
  return new CountersignError("config.unsupported", sentence, { retry: "hold" });
}

/** A plug-in that cannot be made of these settings is on hold as one that does not exist. An exception that is no verdict is a bug. */
export function madeOr<T>(make: () => T | undefined, instead: (why: unknown) => T, what: string): T {
  try {
    return make() ?? instead(unsupported(what));
  } catch (why) {
    if (CountersignError.is(why)) return instead(why);
    throw why;
  }
}
