import type { Attestation, Call, StorageBackend, StoredAt } from "@countersign/core";
import { type RekorOptions, rekorWitness } from "./rekor-witness.ts";

/** For programs that keep nothing else: the log as the only place. No key of the configuration names it; a plan has rekorWitness. */
export function rekorStorage(options: RekorOptions): StorageBackend {
  const { testify, find } = rekorWitness(options);
  return {
    name: "rekor",
    async store(attestation: Attestation, call: Call): Promise<StoredAt> {
      const word = await testify(attestation, call);
      return { uris: word.kind === "log-entry" && word.url ? [word.url] : [] };
    },
    ...(find && { find: ({ payload }, call) => find(payload, call) }),
  };
}
