import { CountersignError, type Signer, type StorageBackend, type Witness } from "@countersign/core";

/** What is configured and cannot be had pauses its own route; all other routes go on. It says so itself, at the moment it is needed. */
function held(what: string): () => Promise<never> {
  const sentence = `${what}; set the key to one that is supported (countersign check-config lists them)`;
  return () => Promise.reject(new CountersignError("config.unsupported", sentence, { retry: "hold" }));
}

export const heldSigner = (name: string, what: string): Signer => ({ name, sign: held(what) });
export const heldStorage = (name: string, what: string): StorageBackend => ({ name, store: held(what) });
export const heldWitness = (name: string, what: string): Witness => ({ name, testify: held(what) });
