import { type Fault, registry } from "@countersign/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  crowdAt,
  expectNoCrowd,
  expectOnce,
  gated,
  marksOf,
  minute,
  oci,
  open,
  recovery,
  type Size,
  town,
} from "../integration/harness/town.ts";
import { type Rekor, request, startRekor, startTrillian } from "./harness/index.ts";
import "./harness/on-failure.ts";

/**
 * The same hour without a log as in test/integration/outage.test.ts, with Sigstore's own Rekor behind the fault. Five hundred runs wait for the one
 * probe that finds the log again; what an answer is taken for does not depend on how many wait.
 */
const many: Size = { runs: 500, kinds: ["att"] };
const few: Size = { runs: 20, kinds: ["att", "sig"] };

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

const treeSize = async (): Promise<number> => (await request(`${rekor.url}/api/v1/log`)).json<{ treeSize: number }>().treeSize;

test.each<[string, Size, Fault]>([
  ["is cut off", many, { kind: "cut" }],
  ["answers 503", few, { kind: "status", status: 503 }],
  ["answers 429 and asks for patience", few, { kind: "status", status: 429, headers: { "retry-after": "600" } }],
  ["takes everything and loses its answers", few, { kind: "lost-answer" }],
  ["answers garbage", few, { kind: "garbage" }],
])(
  "Rekor %s for an hour: all are logged and stored within five minutes after it, once, and none was marked before",
  async (_, size, fault) => {
    const { runs, kinds } = size;
    const store = await registry();
    open.push(store);
    const gate = await gated({ url: rekor.url, close: async () => undefined });
    gate.fault = () => fault;
    const load = crowdAt(gate.url);
    const before = await treeSize();
    const place = await town(runs, store.host, { ...oci(size), "transparency.enabled": "true", "transparency.url": gate.url });
    await place.pass(60 * minute);
    expect([place.signed(), marksOf(place, "signed"), marksOf(place, "transparency"), place.house.loop.waiting]).toEqual([0, [], [], runs]);
    expect(store.seen).toEqual([]);
    // What Rekor was asked for it has done, though nobody heard of it.
    if (fault.kind !== "lost-answer") expect(await treeSize()).toBe(before);

    gate.fault = () => undefined;
    await recovery(place, runs, runs > 100 ? minute : 5 * minute);
    expect((await treeSize()) - before).toBe(kinds.length * runs);
    expectOnce(store, size);
    expectNoCrowd(load);
    // Each run names an entry of its own.
    expect(new Set(marksOf(place, "transparency")).size).toBe(runs);
  },
);
