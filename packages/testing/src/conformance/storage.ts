import assert from "node:assert/strict";
import { sameBytes, sha256 } from "@countersign/bundle";
import { type Attestation, type Call, CountersignError, type Found, type StorageBackend, type StoredAt } from "@countersign/core";
import { type AnAttestationOptions, anAttestation } from "../an-attestation.ts";
import { canary } from "../servers/misbehave.ts";

/** How the place behind a backend answers from now on. never: it takes requests and says nothing. */
export type Mood = "well" | "401" | "503" | "never";

export interface StorageCandidate {
  readonly backend: StorageBackend;
  /** Where the subjects shall live, when not just anywhere will do: "127.0.0.1:40123/team/app". */
  readonly repository?: string;
  /** Absent where there is nobody who could answer: annotations that the caller writes. Error bodies must carry the canary of misbehave. */
  readonly setMood?: (mood: Mood) => void;
  readonly close?: () => Promise<void> | void;
}

/** `it` of any test runner. */
export type It = (name: string, body: () => Promise<void>) => unknown;

/** Milliseconds in which an abort must have ended everything. */
const promptly = 1_000;

/** The exam that every storage backend sits. */
export function storageConformance(it: It, candidate: () => StorageCandidate | Promise<StorageCandidate>): void {
  const question = (name: string, body: (exam: Exam) => Promise<void>): void => {
    it(name, async () => {
      const made = await candidate();
      try {
        await body(examOf(made));
      } finally {
        await made.close?.();
      }
    });
  };

  question("finds nothing where nothing was stored", async ({ find, sample }) => {
    assert.deepEqual(await find(await sample()), []);
  });

  for (const envelope of ["dsse", "none"] as const) {
    question(`finds what was stored, byte by byte (envelope ${envelope})`, async ({ store, find, sample }) => {
      const attestation = await sample({ envelope });
      const stored = await store(attestation);
      assert.ok(stored.uris.length > 0, "an attestation about an image must be stored somewhere");
      assertHolds(await find(attestation, stored), attestation);
    });

    question(`the same attestation stored twice is stored once (envelope ${envelope})`, async ({ store, find, sample }) => {
      const attestation = await sample({ envelope });
      const first = await store(attestation);
      const second = await store(attestation);
      assert.deepEqual(second.uris, first.uris);
      assert.equal((await find(attestation, second)).length, 1);
    });
  }

  question("other evidence makes it no other attestation", async ({ store, find, sample }) => {
    await store(await sample());
    const witnessed = await sample({ evidence: [{ kind: "timestamp", token: "AAAA" }] });
    assert.equal((await find(witnessed, await store(witnessed))).length, 1);
  });

  question("another payload about the same image takes nothing away", async ({ store, find, sample }) => {
    const [one, other] = [await sample(), await sample({ builder: "https://other.example" })];
    const stored = await store(one);
    // Annotations have one place for an artifact, and the caller writes it.
    if (stored.annotations) return;
    await store(other);
    const found = await find(one);
    assertHolds(found, one);
    assertHolds(found, other);
  });

  question("several at once lose nothing", async ({ store, find, sample }) => {
    const many = await Promise.all([1, 2, 3, 4].map((n) => sample({ builder: `https://builder-${n}.example` })));
    const stored = await Promise.all(many.map((one) => store(one)));
    if (stored[0]?.annotations) return;
    const [first] = many;
    const found = first ? await find(first) : [];
    for (const one of many) assertHolds(found, one);
  });

  question("a call that is aborted before it begins does nothing", async ({ made, store, find, sample }) => {
    const attestation = await sample();
    const reason = new Error("aborted by the exam");
    await assert.rejects(made.backend.store(attestation, { signal: AbortSignal.abort(reason) }), isAbort(reason));
    assert.deepEqual(await find(attestation), []);
    await store(attestation);
  });

  for (const act of ["store", "find"] as const) {
    question(`an abort ends ${act} promptly, and is nobody's failure`, async ({ made, sample }) => {
      if (!made.setMood) return;
      made.setMood("never");
      const controller = new AbortController();
      const reason = new Error("aborted by the exam");
      const work = begin(act, made.backend, await sample(), controller.signal);
      const began = Date.now();
      setTimeout(() => controller.abort(reason), 50);
      await assert.rejects(work, isAbort(reason));
      assert.ok(Date.now() - began < promptly, `the abort took ${Date.now() - began} ms`);
    });

    for (const [mood, retry] of [
      ["401", "counted"],
      ["503", "wait"],
    ] as const) {
      question(`${act}: ${mood} is ${retry}, and the error repeats no response body`, async ({ made, sample }) => {
        if (!made.setMood) return;
        made.setMood(mood);
        const error = await begin(act, made.backend, await sample(), new AbortController().signal).then(
          () => assert.fail(`${act} must not succeed when the place answers ${mood}`),
          (thrown: unknown) => thrown,
        );
        assert.ok(CountersignError.is(error), `${act} must throw a CountersignError, not ${error}`);
        assert.equal(error.retry, retry);
        assert.match(error.code, /^store\./);
        assert.ok(!`${error.message}${error.stack}`.includes(canary), "the message repeats what the server said");
      });
    }
  }

  question("after an outage the same attestation is stored once", async ({ made, store, find, sample }) => {
    if (!made.setMood) return;
    const attestation = await sample();
    made.setMood("503");
    await assert.rejects(store(attestation));
    made.setMood("well");
    assert.equal((await find(attestation, await store(attestation))).length, 1);
  });
}

interface Exam {
  readonly made: StorageCandidate;
  sample(options?: AnAttestationOptions): Promise<Attestation>;
  store(attestation: Attestation): Promise<StoredAt>;
  find(attestation: Attestation, stored?: StoredAt): Promise<readonly Found[]>;
}

function examOf(made: StorageCandidate): Exam {
  const call: Call = { signal: new AbortController().signal };
  return {
    made,
    sample: (options) => anAttestation({ ...(made.repository ? { repository: made.repository } : {}), ...options }),
    store: (attestation) => made.backend.store(attestation, call),
    find: async ({ artifact, payload }, stored) => {
      assert.ok(made.backend.find, "this exam is for backends that can read back what they stored");
      return made.backend.find({ artifact, payload, annotations: stored?.annotations ?? {} }, call);
    },
  };
}

function begin(act: "store" | "find", backend: StorageBackend, attestation: Attestation, signal: AbortSignal): Promise<unknown> {
  const { artifact, payload } = attestation;
  if (act === "store" || !backend.find) return backend.store(attestation, { signal });
  return backend.find({ artifact, payload, annotations: {} }, { signal });
}

/** An abort comes out as it went in, as its cause, or as a plain AbortError, never as a failure to be counted. */
const isAbort =
  (reason: Error) =>
  (error: unknown): boolean =>
    !CountersignError.is(error) &&
    (error === reason || (error instanceof Error && (error.cause === reason || error.name === "AbortError")));

function assertHolds(found: readonly Found[], { payload, signature }: Attestation): void {
  const digest = sha256(payload.body);
  const mine = found.filter((one) => one.digest === digest && sameBytes(one.signature.bytes, signature.bytes));
  assert.equal(mine.length, 1, `the place must hold the attestation once; it holds ${mine.length} of it among ${found.length}`);
}
