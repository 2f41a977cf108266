import { createHash } from "node:crypto";
import { dsseEnvelope, logEntryFault } from "@countersign/bundle";
import type { Attestation, Evidence, Witness } from "@countersign/core";
import { canary, type Misbehaving, misbehave, type Rekor, type RekorMood, rekor } from "@countersign/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RekorOptions, rekorWitness } from "./rekor-witness.ts";
import { call, entryIn, failureOf, signedBy, trusting, wire } from "./surroundings.fixture.ts";

let log: Rekor;
let way: Misbehaving;
beforeEach(async () => {
  log = await rekor();
  way = await misbehave(log.url);
});
afterEach(async () => {
  await way.close();
  await log.close();
});

const witness = (options: Partial<RekorOptions> = {}): Witness => rekorWitness({ url: way.url, http: wire, ...options });
const withWord = (attestation: Attestation, ...evidence: readonly Evidence[]): Attestation => ({ ...attestation, evidence });

describe("a signature is logged", () => {
  test("a statement as dsse 0.0.1, sound and at its address", async () => {
    const attestation = await signedBy("P-256");
    const word = await witness().testify(attestation, call);
    expect(logEntryFault(entryIn(word), log.logs)).toBeUndefined();
    expect(word).toMatchObject({ kind: "log-entry", url: `${way.url}/api/v1/log/entries?logIndex=0`, entry: { logIndex: "0" } });
    expect(log.entries.map(({ kind, version }) => `${kind} ${version}`)).toEqual(["dsse 0.0.1"]);
    const { spec } = JSON.parse(way.requests[0]?.body ?? "");
    expect(spec.proposedContent.envelope).toBe(dsseEnvelope(attestation));
  });

  test("image signatures as hashedrekord, statements as intoto where that is wanted", async () => {
    await witness().testify(await signedBy("P-256", { envelope: "none" }), call);
    const word = await witness({ entryKind: "intoto" }).testify(await signedBy("P-256"), call);
    expect(log.entries.map(({ kind, version }) => `${kind} ${version}`)).toEqual(["hashedrekord 0.0.1", "intoto 0.0.2"]);
    expect(logEntryFault(entryIn(word), log.logs)).toBeUndefined();
  });

  test.each(["P-384", "P-521", "rsa", "ed25519ph"] as const)("image signatures of %s with the hash that belongs to it", async (curve) => {
    const word = await witness().testify(await signedBy(curve, { envelope: "none" }), call);
    expect(logEntryFault(entryIn(word), log.logs)).toBeUndefined();
  });

  test.each(["rsa", "ed25519"] as const)("statements of %s", async (curve) => {
    expect(logEntryFault(entryIn(await witness().testify(await signedBy(curve), call)), log.logs)).toBeUndefined();
  });

  test.each(["P-384", "P-521", "ed25519ph"] as const)(
    "not statements of %s: Rekor v1 could not check them, so it is not asked",
    async (curve) => {
      const failure = await failureOf(witness().testify(await signedBy(curve), call));
      expect(failure).toMatchObject({ code: "witness.key-unsupported", retry: "hold" });
      expect(failure.message).toMatch(/SHA-256 only.*transparency.version/);
      expect(way.requests).toEqual([]);
    },
  );

  test("not image signatures of plain Ed25519", async () => {
    const failure = await failureOf(witness().testify(await signedBy("ed25519", { envelope: "none" }), call));
    expect(failure).toMatchObject({ code: "witness.key-unsupported", retry: "hold" });
  });

  test("the address may have a base path and a slash at the end; the annotation has it as it is configured", async () => {
    const word = await witness({ url: `${log.url}/` }).testify(await signedBy("P-256"), call);
    expect(word).toMatchObject({ url: `${log.url}//api/v1/log/entries?logIndex=0` });
    const failure = await failureOf(witness({ url: `${way.url}/base/path/` }).testify(await signedBy("P-256"), call));
    expect(way.requests.at(-1)?.path).toBe("/base/path/api/v1/log/entries");
    expect(failure).toMatchObject({ code: "witness.log-refused", retry: "counted" });
  });

  test.each(["", "rekor.example", "ftp://rekor.example", "https://user:word@rekor.example", "https://rekor.example/?key=word"])(
    "no request for the address '%s'",
    async (url) => {
      const failure = await failureOf(witness({ url }).testify(await signedBy("P-256"), call));
      expect(failure).toMatchObject({ code: "config.transparency-url", retry: "hold" });
      expect(failure.message).not.toContain("word");
    },
  );
});

describe("once", () => {
  test("the same again: the entry that is there, and no other one", async () => {
    const attestation = await signedBy("P-256");
    const first = await witness().testify(attestation, call);
    await witness().testify(await signedBy("P-256"), call);
    const again = await witness().testify(attestation, call);
    expect(entryIn(again).canonicalizedBody).toBe(entryIn(first).canonicalizedBody);
    expect(again).toMatchObject({ url: (first as { url: string }).url });
    expect(logEntryFault(entryIn(again), log.logs)).toBeUndefined();
    expect(log.entries).toHaveLength(2);
  });

  test("the log took it and its answer was lost: the next try finds it", async () => {
    const attestation = await signedBy("P-256");
    let lost = 0;
    way.fault = ({ method }) => (method === "POST" && lost++ === 0 ? { kind: "lost-answer" } : undefined);
    const word = await witness({ timeoutMs: 1_000 }).testify(attestation, call);
    expect(logEntryFault(entryIn(word), log.logs)).toBeUndefined();
    expect([log.entries.length, way.count("POST")]).toEqual([1, 2]);
  });

  test("the log took it and stalls: an outage, and one entry when it is back", async () => {
    const attestation = await signedBy("P-256");
    log.mood = "stalls";
    const once = { ...wire, request: (request: Parameters<typeof wire.request>[0]) => wire.request({ ...request, tries: 1 }) };
    expect(await failureOf(witness({ timeoutMs: 200, http: once }).testify(attestation, call))).toMatchObject({ retry: "wait" });
    log.mood = undefined;
    await witness().testify(attestation, call);
    expect(log.entries).toHaveLength(1);
  });

  test("a conflict without address: the entry is named in its words", async () => {
    const attestation = await signedBy("P-256");
    await witness().testify(attestation, call);
    log.mood = "no-location";
    expect(entryIn(await witness().testify(attestation, call)).logIndex).toBe("0");
  });

  test("a conflict with another place's address is asked here", async () => {
    const attestation = await signedBy("P-256");
    await witness().testify(attestation, call);
    const [entry] = log.entries;
    way.fault = ({ method }) =>
      method === "POST"
        ? { kind: "status", status: 409, headers: { location: `http://elsewhere.test/api/v1/log/entries/${entry?.uuid}` } }
        : undefined;
    expect(entryIn(await witness({ trust: trusting(log.logs) }).testify(attestation, call)).logIndex).toBe("0");
    expect(way.requests.at(-1)?.path).toBe(`/api/v1/log/entries/${entry?.uuid}`);
  });

  test("a conflict that leads to another entry is not believed", async () => {
    await witness().testify(await signedBy("P-256", { builder: "another" }), call);
    const uuid = log.entries[0]?.uuid;
    way.fault = ({ method }) => (method === "POST" ? { kind: "status", status: 409, headers: { location: `/x/${uuid}` } } : undefined);
    expect(await failureOf(witness().testify(await signedBy("P-256"), call))).toMatchObject({
      code: "witness.entry-unsound",
      retry: "wait",
    });
  });

  test("a conflict whose entry the log does not show yet", async () => {
    log.mood = "lost";
    expect(await failureOf(witness().testify(await signedBy("P-256"), call))).toMatchObject({
      code: "witness.entry-missing",
      retry: "wait",
    });
  });
});

describe("its own word among the evidence", () => {
  test("is answered again without a request", async () => {
    const attestation = await signedBy("P-256");
    const subject = witness();
    const word = await subject.testify(attestation, call);
    const before = way.requests.length;
    expect(await subject.testify(withWord(attestation, word), call)).toEqual(word);
    const { url: _, ...bare } = word as Extract<Evidence, { kind: "log-entry" }>;
    expect(await subject.testify(withWord(attestation, bare), call)).toEqual(word);
    expect(way.requests).toHaveLength(before);
  });

  test("is completed where a tag kept only the promise", async () => {
    const attestation = await signedBy("P-256");
    const subject = witness();
    const { inclusionProof: _, ...promise } = entryIn(await subject.testify(attestation, call));
    const word = await subject.testify(withWord(attestation, { kind: "log-entry", entry: promise }), call);
    expect(entryIn(word).inclusionProof).toBeDefined();
    expect(way.requests.at(-1)).toMatchObject({ method: "GET", path: "/api/v1/log/entries?logIndex=0" });
    expect(log.entries).toHaveLength(1);
  });

  test("does not count when it is about another signature, of another log or damaged: the log is asked", async () => {
    const [attestation, other] = [await signedBy("P-256"), await signedBy("P-256")];
    const subject = witness();
    const foreign = await rekor();
    const strange = await rekorWitness({ url: foreign.url, http: wire }).testify(attestation, call);
    await foreign.close();
    const word = await subject.testify(other, call);
    const own = entryIn(await subject.testify(attestation, call));
    for (const evidence of [word, strange, { kind: "log-entry", entry: { ...own, integratedTime: "1" } } as const]) {
      const before = way.requests.length;
      const answered = await subject.testify(withWord(attestation, evidence), call);
      expect(entryIn(answered).logIndex).toBe("1");
      expect(way.requests.length).toBeGreaterThan(before);
    }
    expect(log.entries).toHaveLength(2);
  });
});

describe("what is not believed", () => {
  test.each<[RekorMood, RegExp]>([
    ["wrong-promise", /promise/],
    ["wrong-proof", /does not lead/],
    ["smaller-tree", /another size/],
    ["other-log", /promise/],
    ["other-entry", /something else/],
    ["no-proof", /no proof of inclusion/],
    ["garbage", /no transparency log's answer/],
  ])("%s", async (mood, sentence) => {
    const subject = witness();
    await subject.testify(await signedBy("P-256", { builder: "before" }), call);
    const attestation = await signedBy("P-256");
    log.mood = mood;
    const failure = await failureOf(subject.testify(attestation, call));
    expect(failure.retry).toBe("wait");
    expect(failure.message).toMatch(sentence);
    log.mood = undefined;
    await subject.testify(attestation, call);
    expect(log.entries).toHaveLength(2);
  });

  test("an entry under another entry's name", async () => {
    const renaming: RekorOptions["http"] = {
      async request(request) {
        const answer = await wire.request(request);
        if (request.method !== "POST") return answer;
        return {
          ...answer,
          body: Buffer.from(
            Buffer.from(answer.body)
              .toString()
              .replace(/^\{"[0-9a-f]{80}"/, `{"${"0".repeat(80)}"`),
          ),
        };
      },
    };
    const failure = await failureOf(witness({ http: renaming }).testify(await signedBy("P-256"), call));
    expect(failure).toMatchObject({ code: "witness.log-garbled", retry: "wait" });
  });

  test("an entry of a log that the trust root does not know", async () => {
    const foreign = await rekor();
    const failure = await failureOf(witness({ trust: trusting(foreign.logs) }).testify(await signedBy("P-256"), call));
    expect(failure).toMatchObject({ code: "witness.entry-unsound", retry: "wait" });
    expect(failure.message).toMatch(/trust root/);
    await foreign.close();
  });
});

describe("the log's key", () => {
  test("comes from the trust root, and then the log is not asked for it", async () => {
    await witness({ trust: trusting(log.logs) }).testify(await signedBy("P-256"), call);
    expect(way.count("GET")).toBe(0);
  });

  test("is asked of the log once, where there is no trust root", async () => {
    const subject = witness({ trust: async () => undefined });
    await Promise.all([0, 1, 2, 3].map(async () => subject.testify(await signedBy("P-256"), call)));
    expect(way.count("GET", /publicKey/)).toBe(1);
  });

  test("another tree with another key: asked again, old words still count", async () => {
    let now = 0;
    const subject = witness({ now: () => now });
    const old = await signedBy("P-256");
    const word = await subject.testify(old, call);
    log.rotate();
    expect(await failureOf(subject.testify(await signedBy("P-256"), call))).toMatchObject({ code: "witness.entry-unsound", retry: "wait" });
    now = 60_000;
    await Promise.all([0, 1, 2].map(async () => subject.testify(await signedBy("P-256"), call)));
    expect(way.count("GET", /publicKey/)).toBe(2);
    expect(await subject.testify(withWord(old, word), call)).toEqual(word);
  });

  test("a known key whose signature does not fit is no reason to ask for a newer trust root", async () => {
    log.mood = "wrong-promise";
    const asked: (boolean | undefined)[] = [];
    const trust: NonNullable<RekorOptions["trust"]> = async ({ fresh }) => {
      asked.push(fresh);
      return { logs: log.logs };
    };
    await failureOf(witness({ trust }).testify(await signedBy("P-256"), call));
    expect(asked).toEqual([undefined]);
  });

  test("a newer trust root is asked for when a key is unknown", async () => {
    const [before] = log.logs;
    log.rotate();
    const asked: (boolean | undefined)[] = [];
    const trust: NonNullable<RekorOptions["trust"]> = async ({ fresh }) => {
      asked.push(fresh);
      return { logs: fresh ? log.logs : before ? [before] : [] };
    };
    await witness({ trust }).testify(await signedBy("P-256"), call);
    expect(asked).toEqual([undefined, true]);
  });
});

describe("found by search", () => {
  test("signatures with their keys and the log's word, of whatever kind of entry", async () => {
    const subject = witness();
    const attestation = await signedBy("P-256");
    expect(await subject.find?.(attestation.payload, call)).toEqual([]);
    const word = await subject.testify(attestation, call);
    await witness({ entryKind: "intoto" }).testify(await signedBy("rsa"), call);
    const found = (await subject.find?.(attestation.payload, call)) ?? [];
    const mine = found.find(({ signature }) => Buffer.compare(signature.bytes, attestation.signature.bytes) === 0);
    expect(found).toHaveLength(2);
    expect(mine?.signature.publicKey).toBe(attestation.signature.publicKey);
    expect(mine?.evidence).toMatchObject([{ url: (word as { url: string }).url, entry: { logIndex: "0" } }]);
    expect(await subject.testify(withWord(attestation, ...(mine?.evidence ?? [])), call)).toMatchObject({ entry: { logIndex: "0" } });
    const image = await signedBy("P-256", { envelope: "none" });
    await subject.testify(image, call);
    expect(await subject.find?.(image.payload, call)).toHaveLength(1);
  });

  test("many entries are fetched ten at a time, and the latest forty are enough", async () => {
    for (let n = 0; n < 45; n += 1) await witness().testify(await signedBy("P-256"), call);
    const { payload } = await signedBy("P-256");
    const before = way.count("POST", /retrieve/);
    expect(await witness().find?.(payload, call)).toHaveLength(40);
    expect(way.count("POST", /retrieve/) - before).toBe(5);
  });

  test("a statement that only speaks of the payload is not found", async () => {
    const { payload } = await signedBy("P-256", { envelope: "none" });
    const digest = createHash("sha256").update(payload.body).digest("hex");
    await witness().testify(await signedBy("P-256", { about: digest }), call);
    expect(log.entries).toHaveLength(1);
    expect(await witness().find?.(payload, call)).toEqual([]);
    expect(way.count("POST", /entries.retrieve/)).toBe(1);
  });

  test("what cannot be verified is not found", async () => {
    const attestation = await signedBy("P-256");
    await witness().testify(attestation, call);
    log.mood = "other-log";
    expect(await witness().find?.(attestation.payload, call)).toEqual([]);
  });

  test("a log without index is not asked again for ten minutes", async () => {
    const plain = await rekor({ index: false });
    let now = 0;
    const subject = witness({ url: plain.url, now: () => now });
    const { payload } = await signedBy("P-256");
    expect(await subject.find?.(payload, call)).toEqual([]);
    expect(await subject.find?.(payload, call)).toEqual([]);
    const asked = plain.seen.length;
    now = 600_000;
    await subject.find?.(payload, call);
    expect(plain.seen.length).toBe(2 * asked);
    await plain.close();
  });

  test("an outage is no answer: whoever asks must not write; but an index that stays broken stops nobody", async () => {
    const { payload } = await signedBy("P-256");
    let now = 0;
    const { find } = witness({ now: () => now });
    way.fault = () => ({ kind: "status", status: 500 });
    expect(await failureOf(find?.(payload, call) ?? Promise.resolve())).toMatchObject({ code: "witness.log-unavailable", retry: "wait" });
    now = 599_999;
    expect(await failureOf(find?.(payload, call) ?? Promise.resolve())).toMatchObject({ retry: "wait" });
    now = 600_000;
    expect(await find?.(payload, call)).toEqual([]);
    const asked = way.requests.length;
    expect(await find?.(payload, call)).toEqual([]);
    expect(way.requests).toHaveLength(asked);
  });

  test("a refused search is no answer, either", async () => {
    const { payload } = await signedBy("P-256");
    way.fault = () => ({ kind: "status", status: 403 });
    expect(await failureOf(witness().find?.(payload, call) ?? Promise.resolve())).toMatchObject({
      code: "witness.log-refused",
      retry: "counted",
    });
  });
});

describe("looked for one by one", () => {
  test.each(["dsse", "none"] as const)("what was shown is found without an index, and nothing else: %s", async (envelope) => {
    const plain = await rekor({ index: false });
    const subject = witness({ url: plain.url });
    const [mine, other, never] = [
      await signedBy("P-256", { envelope }),
      await signedBy("rsa", { envelope }),
      await signedBy("P-521", { envelope: "none" }),
    ];
    for (const one of [other, mine]) await subject.testify(one, call);
    const found = await subject.find?.(mine.payload, call, [mine.signature]);
    expect(found).toMatchObject([{ signature: mine.signature, evidence: [{ kind: "log-entry", entry: { logIndex: "1" } }] }]);
    expect(await subject.find?.(never.payload, call, [never.signature])).toEqual([]);
    expect(await subject.find?.(mine.payload, call, [])).toEqual([]);
    expect(plain.entries).toHaveLength(2);
    await plain.close();
  });

  test("what cannot be verified is not found, nor an entry that is about something else", async () => {
    const attestation = await signedBy("P-256");
    await witness().testify(attestation, call);
    log.mood = "other-log";
    expect(await witness().find?.(attestation.payload, call, [attestation.signature])).toEqual([]);
    log.mood = undefined;
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: '{"logIndexes":[0]}' };
    const body = await (await fetch(`${log.url}/api/v1/log/entries/retrieve`, request)).text();
    way.fault = ({ path }) => (path.endsWith("/retrieve") ? { kind: "status", status: 200, body } : undefined);
    expect(await witness().find?.(attestation.payload, call, [attestation.signature])).toHaveLength(1);
    const another = await signedBy("P-256");
    expect(await witness().find?.(another.payload, call, [another.signature])).toEqual([]);
  });

  test.each([404, 405, 501])("a log that does not let itself be asked (%i) has seen nothing", async (status) => {
    const { payload, signature } = await signedBy("P-256");
    way.fault = () => ({ kind: "status", status });
    expect(await witness().find?.(payload, call, [signature])).toEqual([]);
  });

  test.each([
    [503, "witness.log-unavailable", "wait"],
    [403, "witness.log-refused", "counted"],
    [200, "witness.log-garbled", "wait"],
  ])("an outage or a refusal is no answer: %i", async (status, code, retry) => {
    const { payload, signature } = await signedBy("P-256");
    way.fault = () => ({ kind: "status", status, body: "{}" });
    expect(await failureOf(witness().find?.(payload, call, [signature]) ?? Promise.resolve())).toMatchObject({ code, retry });
  });

  test("Rekor v2 cannot be asked", () => {
    expect(witness({ version: "v2" }).find).toBeUndefined();
  });
});

describe("a log that is out of order", () => {
  test.each([408, 425, 429, 500, 502, 503, 504])("%i is waited for", async (status) => {
    way.fault = () => ({ kind: "status", status, headers: { "retry-after": "30" } });
    const failure = await failureOf(witness().testify(await signedBy("P-256"), call));
    expect(failure).toMatchObject({ code: "witness.log-unavailable", retry: "wait", retryAfterMs: 30_000 });
    expect(failure.message).toContain(`${way.url}/api/v1/log/entries`);
    expect(failure.message).not.toContain(canary);
  });

  test.each([
    [400, /ecdsa-sha256 \(prime256v1\)/],
    [401, /credentials/],
    [403, /credentials/],
    [404, /transparency.url.*v2/],
    [413, /too large/],
    [422, /does not take/],
    [501, /transparency.url/],
  ])("%i is counted, and its words are not shown", async (status, hint) => {
    way.fault = () => ({ kind: "status", status });
    const failure = await failureOf(witness().testify(await signedBy("P-256"), call));
    expect(failure).toMatchObject({ code: "witness.log-refused", retry: "counted" });
    expect(failure.message).toContain(`${status}`);
    expect(failure.message).toMatch(hint);
    expect(failure.message).not.toContain(canary);
  });

  test.each(["cut", "half-open", "garbage"] as const)("%s is waited for, within the limits", async (kind) => {
    way.fault = () => ({ kind });
    const start = performance.now();
    const failure = await failureOf(witness({ timeoutMs: 100 }).testify(await signedBy("P-256"), call));
    expect(failure.retry).toBe("wait");
    expect(performance.now() - start).toBeLessThan(1_300);
  });

  test("nobody there is waited for", async () => {
    await way.close();
    expect(await failureOf(witness().testify(await signedBy("P-256"), call))).toMatchObject({
      code: "witness.log-unavailable",
      retry: "wait",
    });
    way = await misbehave(log.url);
  });

  test("an abort is prompt and nobody's failure", async () => {
    way.fault = () => ({ kind: "half-open" });
    const stop = new AbortController();
    const work = witness().testify(await signedBy("P-256"), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("stop")), 20);
    await expect(work).rejects.toThrow("stop");
    await expect(witness().testify(await signedBy("P-256"), { signal: stop.signal })).rejects.toThrow("stop");
  });
});
