import { sameBytes, sha256 } from "@countersign/bundle";
import type { Call, Found, Payload, StorageBackend } from "@countersign/core";

export interface MemoryStorage extends StorageBackend {
  find: NonNullable<StorageBackend["find"]>;
  /** Has the first word on each act: throw to fail, wait to be slow. */
  before: (act: "store" | "find", call: Call) => Promise<void>;
  /** How many signatures lie at all places together. */
  readonly size: number;
}

/** A storage backend that works and forgets nothing until the test ends: one place per subject and envelope. */
export function memoryStorage(name = "memory"): MemoryStorage {
  const places = new Map<string, Found[]>();
  const placesOf = ({ subjects, envelope }: Payload): readonly string[] =>
    subjects.map((subject) => `memory:${subject.name}@${JSON.stringify(subject.digest)}/${envelope}`);
  const self: MemoryStorage = {
    name,
    before: async () => undefined,
    get size() {
      return [...places.values()].reduce((sum, found) => sum + found.length, 0);
    },
    async store({ payload, signature, evidence }, call) {
      call.signal.throwIfAborted();
      await self.before("store", call);
      const uris = placesOf(payload);
      const digest = sha256(payload.body);
      for (const place of uris) {
        const there = places.get(place) ?? [];
        const known = there.some((found) => found.digest === digest && sameBytes(found.signature.bytes, signature.bytes));
        if (!known) places.set(place, [...there, { digest, signature, evidence }]);
      }
      return { uris };
    },
    async find({ payload }, call) {
      call.signal.throwIfAborted();
      await self.before("find", call);
      return placesOf(payload).flatMap((place) => places.get(place) ?? []);
    },
  };
  return self;
}
