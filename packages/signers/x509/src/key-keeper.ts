import { CountersignError } from "@countersign/core";
import type { KeySource } from "./key-source.ts";
import { readKey, type SigningKey } from "./read-key.ts";

/** Weak, so that a source takes its key with it when it goes. */
const held = new WeakMap<KeySource, { readonly version: string; readonly key: Promise<SigningKey> }>();

/**
 * The key as it stands now: decrypted once for each version of its source, whoever asks. All signers of a plan, the plan after the
 * next change of configuration and readiness share it; callers that come meanwhile wait for that one decryption.
 */
export async function currentKey(keys: KeySource): Promise<SigningKey> {
  const { version, files } = await keys.current();
  const known = held.get(keys);
  if (known?.version === version) return known.key;
  const key = readKey(files, keys.place ?? "the signing secret");
  held.set(keys, { version, key });
  // A version that failed fails for all alike; anything else (no memory for scrypt) may pass.
  key.catch((error: unknown) => {
    if (!CountersignError.is(error) && held.get(keys)?.key === key) held.delete(keys);
  });
  return key;
}
