import { type Fault, registry } from "@countersign/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  crowd,
  expectNoCrowd,
  expectOnce,
  gated,
  kindsOf,
  marksOf,
  minute,
  oci,
  open,
  recovery,
  town,
} from "../integration/harness/town.ts";
import { type Rekor, request, startRekor, startTrillian } from "./harness/index.ts";

/** The same hour without a log as in test/integration/outage.test.ts, with Sigstore's own Rekor behind the fault. */
let trillian: Awaited<ReturnType<typeof startTrillian>>;
let rekor: Rekor;
beforeAll(async () => {
  trillian = await startTrillian();
  rekor = await startRekor({ trillian });
});
afterAll(async () => {
  await rekor?.stop();
  await trillian?.stop();
});

const size = async (): Promise<number> => ((await request(`${rekor.url}/api/v1/log`)).json() as { treeSize: number }).treeSize;

test.each<[string, number, Fault]>([
  ["is cut off", 100, { kind: "cut" }],
  ["answers 503", 20, { kind: "status", status: 503 }],
  ["answers 429", 20, { kind: "status", status: 429, headers: { "retry-after": "600" } }],
  ["answers what is no HTTP", 20, { kind: "garbage" }],
])(
  "Rekor %s for an hour, %i runs: all are logged and stored within five minutes after it, once, and none was marked before",
  async (_, runs, fault) => {
    const store = await registry();
    open.push(store);
    const gate = await gated({ url: rekor.url, close: async () => undefined });
    let down = true;
    gate.fault = () => (down ? fault : undefined);
    const load = crowd(gate);
    const before = await size();
    const place = await town(runs, store.host, { ...oci(runs), "transparency.enabled": "true", "transparency.url": gate.url });
    await place.pass(60 * minute);
    expect([place.signed(), marksOf(place, "signed"), await size()]).toEqual([0, [], before]);
    const first = gate.requests.length;
    down = false;
    await recovery(place, runs);
    expectOnce(store, runs);
    const submitted = gate.requests.slice(first).filter(({ method, path }) => method === "POST" && path === "/api/v1/log/entries");
    const accepted = submitted.filter(({ status }) => status === 201).length;
    expect(accepted).toBe(kindsOf(runs).length * runs);
    // A Trillian in memory now and then takes an entry and answers 500, and knows no duplicates: the same again is then a second entry.
    expect((await size()) - before - accepted).toBeLessThanOrEqual(submitted.length - accepted);
    expectNoCrowd(load);
  },
  120_000,
);
