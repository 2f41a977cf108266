import { type Catalog, catalog } from "@countersign/catalog";
import { rekorWitness } from "@countersign/storage-rekor";
import { type Fault, fakeClock, type RekorMood, registry, rekor, trustedRoot } from "@countersign/testing";
import { expect } from "vitest";
import { crowdAt, expectNoCrowd, expectOnce, gated, marksOf, minute, oci, open, recovery, type Size, second, town } from "./town.ts";

/** What is wrong with a log: on the way to it, or with itself. */
export type LogTrouble = { readonly fault: Fault; readonly mood?: undefined } | { readonly mood: RekorMood; readonly fault?: undefined };

/**
 * An hour in which the log is out of order: nothing is marked or stored. After it everything is logged and stored within five minutes, once.
 * Many waiters are done within a minute, since the first who gets through wakes all the others.
 */
export async function logOutage(size: Size, trouble: LogTrouble): Promise<void> {
  const { runs, kinds } = size;
  const clock = fakeClock();
  const [store, log] = [await registry(), await rekor({ now: clock.now })];
  open.push(store, log);
  let down = true;
  const gate = trouble.fault && (await gated(log));
  if (gate) gate.fault = () => (down ? trouble.fault : undefined);
  log.mood = trouble.mood;
  const { url } = gate ?? log;
  const load = crowdAt(url);
  const config = {
    ...oci(size),
    "transparency.enabled": "true",
    "transparency.url": url,
    "trust.root": trustedRoot({ logs: log.logs }),
  };
  const isMute = trouble.fault?.kind === "half-open" || trouble.fault?.kind === "delay";
  const place = await town(runs, store.host, config, { clock, ...(isMute && { from: impatient(() => down) }) });
  await place.pass(60 * minute);
  expect([place.signed(), marksOf(place, "signed"), place.house.loop.waiting]).toEqual([0, [], runs]);
  expect(store.seen).toEqual([]);
  // A server learns late that nobody waits for its answer any more.
  if (isMute) load.most = 0;

  down = false;
  log.mood = undefined;
  const asked = load.all;
  const tookMs = await recovery(place, runs, runs > 100 ? minute : 5 * minute);
  expectOnce(store, size);
  expect(log.entries.length).toBe(kinds.length * runs);
  expect(new Set(log.entries.map(({ uuid }) => uuid)).size).toBe(kinds.length * runs);
  expectNoCrowd(load);
  console.info(`${runs} runs: ${tookMs / second} s after the end, ${load.most} requests at once, ${asked} in the hour, ${load.all} in all`);
}

/** Time-outs are of the real clock: a mute log has 40 ms, and all the time that a busy machine may take once it is well. */
const impatient = (isMute: () => boolean): Catalog => ({
  ...catalog,
  witnesses: {
    rekor({ transparency: { url } }, host) {
      const waiting = (timeoutMs: number) => rekorWitness({ url, http: host.http(), timeoutMs, ...(host.trust && { trust: host.trust }) });
      const [brief, long] = [waiting(40), waiting(30_000)];
      return { ...long, testify: (...how) => (isMute() ? brief : long).testify(...how) };
    },
  },
});
