import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Catalog, catalog } from "@countersign/catalog";
import { rekorWitness } from "@countersign/storage-rekor";
import { type Fault, fakeClock, type RekorMood, registry, rekor, trustedRoot } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { crowd, expectNoCrowd, expectOnce, gated, kindsOf, marksOf, minute, oci, open, recovery, second, town } from "./harness/town.ts";

/** Half a minute on a machine with nothing else to do. */
const patient = { timeout: 240_000 };

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");
const heapBytes = (): number => {
  gc();
  return process.memoryUsage().heapUsed;
};

/** Time-outs are of the real clock: a log has a fifth of a second. */
const impatient: Catalog = {
  ...catalog,
  witnesses: {
    rekor: ({ transparency: { url } }, host) =>
      rekorWitness({ url, http: host.http(), timeoutMs: 200, ...(host.trust && { trust: host.trust }) }),
  },
};

describe("a registry that is down for an hour", patient, () => {
  test.each<[string, number, () => Fault]>([
    ["cuts connections", 500, () => ({ kind: "cut" })],
    ["answers 503", 20, () => ({ kind: "status", status: 503 })],
    ["answers 429 and asks for an hour's patience", 20, () => ({ kind: "status", status: 429, headers: { "retry-after": "3600" } })],
    ["answers 500", 20, () => ({ kind: "status", status: 500 })],
  ])("%s, %i runs: all are stored within five minutes after it, once, by no more than twice the workers", async (_, runs, fault) => {
    const store = await registry();
    const gate = await gated(store);
    let down = true;
    gate.fault = () => (down ? fault() : undefined);
    const load = crowd(gate);
    const place = await town(runs, gate.host, oci(runs));
    await place.pass(10 * minute);
    const heap = heapBytes();
    await place.pass(50 * minute);
    expect(heapBytes() - heap).toBeLessThan(16 * 2 ** 20);
    expect([place.signed(), place.house.loop.waiting, load.most]).toEqual([0, runs, 0]);

    down = false;
    const tookMs = await recovery(place, runs);
    expectOnce(store, runs);
    expect(load.most).toBeGreaterThan(0);
    expectNoCrowd(load);
    console.info(`${runs} runs: ${tookMs / second} s after the end, ${load.most} requests at once, ${gate.requests.length} in all`);
  });
});

describe("a log that is out of order for an hour", patient, () => {
  interface Trouble {
    readonly fault?: Fault;
    readonly mood?: RekorMood;
  }
  test.each<[string, number, Trouble]>([
    ["cuts connections", 500, { fault: { kind: "cut" } }],
    ["does what it is asked and loses its answers", 10, { fault: { kind: "lost-answer" } }],
    ["answers 429", 10, { fault: { kind: "status", status: 429, headers: { "retry-after": "600" } } }],
    ["answers 500", 10, { fault: { kind: "status", status: 500 } }],
    ["answers 503", 10, { fault: { kind: "status", status: 503 } }],
    ["takes everything and never answers", 10, { fault: { kind: "half-open" } }],
    ["is so slow that nobody waits for it", 10, { fault: { kind: "delay", ms: 400 } }],
    ["answers garbage", 10, { fault: { kind: "garbage" } }],
    ["gives entries without proof", 10, { mood: "no-proof" }],
    ["gives wrong proofs", 10, { mood: "wrong-proof" }],
    ["signs with a key that nobody knows", 10, { mood: "other-log" }],
    ["knows of a conflict and not of the entry", 10, { mood: "lost" }],
  ])("%s, %i runs: all are logged and stored within five minutes after it, once, and none was marked before", async (_, runs, trouble) => {
    const clock = fakeClock();
    const [store, log] = [await registry(), await rekor({ now: clock.now })];
    open.push(store);
    const gate = await gated(log);
    let down = true;
    gate.fault = () => (down ? trouble.fault : undefined);
    log.mood = trouble.mood;
    const load = crowd(gate);
    const config = {
      ...oci(runs),
      "transparency.enabled": "true",
      "transparency.url": gate.url,
      "trust.root": trustedRoot({ logs: log.logs }),
    };
    const isMute = trouble.fault?.kind === "half-open" || trouble.fault?.kind === "delay";
    const place = await town(runs, store.host, config, { clock, ...(isMute && { from: impatient }) });
    await place.pass(60 * minute);
    expect([place.signed(), marksOf(place, "signed"), place.house.loop.waiting]).toEqual([0, [], runs]);
    expect(store.seen).toEqual([]);

    down = false;
    log.mood = undefined;
    const tookMs = await recovery(place, runs);
    expectOnce(store, runs);
    expect(log.entries.length).toBe(kindsOf(runs).length * runs);
    expectNoCrowd(load);
    console.info(`${runs} runs: ${tookMs / second} s after the end, ${load.most} requests at once, ${gate.requests.length} in all`);
  });
});
