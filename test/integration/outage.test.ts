import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Fault, localhostTls, registry } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { logOutage } from "./harness/log-outage.ts";
import { silences } from "./harness/log-troubles.ts";
import { crowdAt, expectNoCrowd, expectOnce, gated, minute, oci, recovery, rowsFor, second, sizes, town } from "./harness/town.ts";

/** Some twenty seconds each on a machine with nothing else to do. The logs that lie are in outage-of-trust.test.ts, for a second worker. */
const patient = { timeout: 480_000 };

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");
const heapBytes = (): number => {
  gc();
  return process.memoryUsage().heapUsed;
};

const refusals: readonly (readonly [string, Fault])[] = [
  ["cuts connections", { kind: "cut" }],
  ["answers 503", { kind: "status", status: 503 }],
  ["answers 429 and asks for an hour's patience", { kind: "status", status: 429, headers: { "retry-after": "3600" } }],
  ["answers 500", { kind: "status", status: 500 }],
];

describe.each(sizes)("a registry that is down for an hour, with $runs runs", patient, (size) => {
  test.each(rowsFor(size, refusals, ["cuts connections"]))(
    "%s: all are stored within five minutes after it, once, by no more than twice the workers",
    async (_, fault) => {
      const { runs } = size;
      const store = await registry();
      const gate = await gated(store, { tls: localhostTls });
      let down = true;
      gate.fault = () => (down ? fault : undefined);
      const load = crowdAt(gate.url);
      // None is spoken to without TLS: whether this one does without is not asked again at each try.
      const place = await town(runs, gate.host, { ...oci(size), "storage.oci.insecure-hosts": "plain.example" });
      await place.pass(10 * minute);
      const heap = heapBytes();
      await place.pass(50 * minute);
      expect(heapBytes() - heap).toBeLessThan(16 * 2 ** 20);
      expect([place.signed(), place.house.loop.waiting, store.seen]).toEqual([0, runs, []]);

      down = false;
      const asked = load.all;
      const tookMs = await recovery(place, runs, runs > 100 ? minute : 5 * minute);
      expectOnce(store, size);
      expectNoCrowd(load);
      console.info(
        `${runs} runs: ${tookMs / second} s after the end, ${load.most} requests at once, ${asked} in the hour, ${load.all} in all`,
      );
    },
  );
});

describe.each(sizes)("a log that cannot be asked for an hour, with $runs runs", patient, (size) => {
  test.each(rowsFor(size, silences, ["cuts connections"]))(
    "%s: all are logged and stored within five minutes after it, once, and none was marked before",
    (_, trouble) => logOutage(size, trouble),
  );
});
