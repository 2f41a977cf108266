import { CountersignError, type StorageBackend } from "@countersign/core";
import { expect, test } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { canary } from "../servers/misbehave.ts";
import { type Mood, type StorageCandidate, storageConformance } from "./storage.ts";

/** The names of the questions that a candidate fails. */
async function failures(candidate: () => StorageCandidate): Promise<readonly string[]> {
  const questions: [string, () => Promise<void>][] = [];
  storageConformance((name, body) => questions.push([name, body]), candidate);
  const failed: string[] = [];
  for (const [name, body] of questions) await body().catch(() => failed.push(name));
  return failed;
}

/** A sound backend whose place can be in any mood, with parts of it replaced. */
function candidate(
  spoil: (backend: StorageBackend) => Partial<StorageBackend>,
  error: (mood: Mood) => Error | undefined = sound,
): StorageCandidate {
  const backend = memoryStorage();
  const setMood = (mood: Mood): void => {
    backend.before = async (_, { signal }) => {
      const thrown = error(mood);
      if (thrown) throw thrown;
      if (mood === "never") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
  };
  return { backend: { name: "spoiled", store: backend.store, find: backend.find, ...spoil(backend) }, setMood };
}
const sound = (mood: Mood): Error | undefined => {
  if (mood === "401") return new CountersignError("store.denied", "401", { retry: "counted" });
  return mood === "503" ? new CountersignError("store.unavailable", "503", { retry: "wait" }) : undefined;
};

test("a sound backend fails nothing", async () => {
  expect(await failures(() => candidate(() => ({})))).toEqual([]);
});

test("one that stores twice is found out", async () => {
  const twice = (backend: StorageBackend): Partial<StorageBackend> => {
    let count = 0;
    return {
      store: async (attestation, call) => {
        count += 1;
        const stored = await backend.store(attestation, call);
        return { uris: [...stored.uris, `${count}`] };
      },
      find: async (where, call) => {
        const found = (await backend.find?.(where, call)) ?? [];
        return count > 1 ? [...found, ...found] : found;
      },
    };
  };
  expect(await failures(() => candidate(twice))).toEqual(
    expect.arrayContaining([
      "the same attestation stored twice is stored once (envelope dsse)",
      "other evidence makes it no other attestation",
    ]),
  );
});

test("one that overwrites is found out", async () => {
  const overwrites = (): Partial<StorageBackend> => {
    let backend = memoryStorage();
    return {
      store: (attestation, call) => {
        backend = memoryStorage();
        return backend.store(attestation, call);
      },
      find: (where, call) => backend.find(where, call),
    };
  };
  expect(await failures(() => candidate(overwrites))).toEqual(
    expect.arrayContaining(["another payload about the same image takes nothing away", "several at once lose nothing"]),
  );
});

test("one that does not listen to the signal is found out", async () => {
  const never = new AbortController().signal;
  const deaf = (backend: StorageBackend): Partial<StorageBackend> => ({
    store: (attestation, { signal }) =>
      Promise.race([
        backend.store(attestation, { signal: never }),
        new Promise<never>((_, reject) => signal.addEventListener("abort", () => setTimeout(() => reject(signal.reason), 1200))),
      ]),
  });
  expect(await failures(() => candidate(deaf))).toEqual([
    "a call that is aborted before it begins does nothing",
    "an abort ends store promptly, and is nobody's failure",
  ]);
});

test("one that counts an outage, waits for a refusal, or repeats the server's words is found out", async () => {
  const wrong = (mood: Mood): Error | undefined => {
    if (mood === "401") return new CountersignError("store.denied", `the server said ${canary}`, { retry: "counted" });
    return mood === "503" ? new CountersignError("store.denied", "503", { retry: "counted" }) : undefined;
  };
  const kinds = ["401 is counted", "503 is wait"].map((kind) => `${kind}, and the error repeats no response body`);
  const expected = ["store", "find"].flatMap((act) => kinds.map((kind) => `${act}: ${kind}`));
  expect(await failures(() => candidate(() => ({}), wrong))).toEqual(expected);
  const plain = (mood: Mood): Error | undefined => (mood === "401" || mood === "503" ? new TypeError("fetch failed") : undefined);
  expect(await failures(() => candidate(() => ({}), plain))).toEqual(expected);
});

test("the candidate is closed after each question", async () => {
  let [opened, closed] = [0, 0];
  await failures(() => {
    opened += 1;
    const close = (): void => {
      closed += 1;
    };
    return { ...candidate(() => ({})), close };
  });
  expect(opened).toBeGreaterThan(10);
  expect(closed).toBe(opened);
});
