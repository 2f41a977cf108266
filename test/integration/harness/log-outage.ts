import { type Catalog, catalog } from "@countersign/catalog";
import { rekorWitness } from "@countersign/storage-rekor";
import { type Fault, fakeClock, type RekorMood, registry, rekor, trustedRoot } from "@countersign/testing";
import { expect } from "vitest";
import { crowdAt, expectNoCrowd, expectOnce, gated, marksOf, minute, oci, open, recovery, type Size, second, town } from "./town.ts";

/** What is wrong with a log: on the way to it, or with itself. */
export type LogTrouble = { readonly fault: Fault; readonly mood?: undefined } | { readonly mood: RekorMood; readonly fault?: undefined };

/**
 * An hour in which the log is out of order, in one way or in several that take turns: nothing is marked or stored. After it everything is
 * logged and stored within five minutes, once. Many waiters are done within a minute, since the first who gets through wakes all the others.
 */
export async function logOutage(size: Size, ...troubles: readonly LogTrouble[]): Promise<void> {
  const { runs, kinds } = size;
  const clock = fakeClock();
  const [store, log] = [await registry(), await rekor({ now: clock.now })];
  open.push(store, log);
  let now: LogTrouble | undefined;
  const gate = troubles.some(({ fault }) => fault) ? await gated(log) : undefined;
  if (gate) gate.fault = () => now?.fault;
  const { url } = gate ?? log;
  const load = crowdAt(url);
  const config = {
    ...oci(size),
    "transparency.enabled": "true",
    "transparency.url": url,
    "trust.root": trustedRoot({ logs: log.logs }),
  };
  const begin = (trouble: LogTrouble | undefined): void => {
    now = trouble;
    log.mood = trouble?.mood;
  };
  begin(troubles[0]);
  const place = await town(runs, store.host, config, { clock, from: impatient(() => isMute(now)) });
  for (const trouble of troubles) {
    begin(trouble);
    await place.pass((60 * minute) / troubles.length);
  }
  expect([place.signed(), marksOf(place, "signed"), place.house.loop.waiting]).toEqual([0, [], runs]);
  expect(store.seen).toEqual([]);
  // A server learns late that nobody waits for its answer any more.
  if (troubles.some(isMute)) load.most = 0;

  begin(undefined);
  const asked = load.all;
  const tookMs = await recovery(place, runs, runs > 100 ? minute : 5 * minute);
  expectOnce(store, size);
  expect(log.entries.length).toBe(kinds.length * runs);
  expect(new Set(log.entries.map(({ uuid }) => uuid)).size).toBe(kinds.length * runs);
  expectNoCrowd(load);
  console.info(`${runs} runs: ${tookMs / second} s after the end, ${load.most} requests at once, ${asked} in the hour, ${load.all} in all`);
}

const isMute = (trouble: LogTrouble | undefined): boolean => ["half-open", "delay"].includes(trouble?.fault?.kind ?? "");

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
