import { CountersignError } from "@countersign/core";
import { describe, expect, it, test } from "vitest";
import { anAttestation } from "./an-attestation.ts";
import { type StorageCandidate, storageConformance } from "./conformance/index.ts";
import { memoryStorage } from "./memory-storage.ts";

describe("memoryStorage sits the exam", () => {
  storageConformance(it, (): StorageCandidate => {
    const backend = memoryStorage();
    return {
      backend,
      setMood: (mood) => {
        backend.before = async (_, { signal }) => {
          if (mood === "401") throw new CountersignError("store.denied", "memory answered 401; sign in", { retry: "counted" });
          if (mood === "503") throw new CountersignError("store.unavailable", "memory answered 503; it is tried again", { retry: "wait" });
          if (mood === "never") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        };
      },
    };
  });
});

test("it counts what lies in it", async () => {
  const storage = memoryStorage("m");
  const call = { signal: new AbortController().signal };
  await storage.store(await anAttestation(), call);
  await storage.store(await anAttestation({ envelope: "none" }), call);
  await storage.store(await anAttestation(), call);
  expect([storage.name, storage.size]).toEqual(["m", 2]);
});
