import { type Catalog, catalog } from "@countersign/catalog";
import type { Signature, Signer } from "@countersign/core";
import { x509Signer } from "@countersign/signers-x509";
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
import "./harness/on-failure.ts";

/**
 * The same hour without a log as in test/integration/outage.test.ts, with Sigstore's own Rekor behind the fault. Five hundred runs wait where many
 * of them make a difference, for the one probe that finds the log again; what an answer is taken for does not depend on how many wait.
 */
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

const size = async (): Promise<number> => (await request(`${rekor.url}/api/v1/log`)).json<{ treeSize: number }>().treeSize;

test.each<[string, number, Fault]>([
  ["is cut off", 500, { kind: "cut" }],
  ["answers 503", 500, { kind: "status", status: 503 }],
  ["answers 429 and asks for patience", 20, { kind: "status", status: 429, headers: { "retry-after": "600" } }],
  ["takes everything and loses its answers", 20, { kind: "lost-answer" }],
  ["answers garbage", 20, { kind: "garbage" }],
])(
  "Rekor %s for an hour, %i runs: all are logged and stored within five minutes after it, once, and none was marked before",
  async (_, runs, fault) => {
    const store = await registry();
    open.push(store);
    const gate = await gated({ url: rekor.url, close: async () => undefined });
    gate.fault = () => fault;
    const before = await size();
    const config = { ...oci(runs), "transparency.enabled": "true", "transparency.url": gate.url };
    const place = await town(runs, store.host, config, { from: signingOnce });
    await place.pass(60 * minute);
    expect([place.signed(), marksOf(place, "signed"), marksOf(place, "transparency"), place.house.loop.waiting]).toEqual([0, [], [], runs]);
    expect(store.seen).toEqual([]);
    // What Rekor was asked for it has done, though nobody heard of it.
    if (fault.kind !== "lost-answer") expect(await size()).toBe(before);

    gate.fault = () => undefined;
    const load = crowd(gate);
    await recovery(place, runs);
    expectOnce(store, runs);
    expectNoCrowd(load);
    expect((await size()) - before).toBe(kindsOf(runs).length * runs);
    // Each run names an entry of its own.
    expect(new Set(marksOf(place, "transparency")).size).toBe(runs);
  },
);

/** The controller's own signer gives the same signature each time; to compute it anew in every visit of an hour would be half of the test's time. */
const signingOnce: Catalog = { ...catalog, signers: { x509: (_, { keys }) => remembering(x509Signer({ keys })) } };

function remembering(signer: Signer): Signer {
  const signatures = new Map<string, Signature>();
  return {
    ...signer,
    async sign(message, call) {
      const name = Buffer.from(message).toString("latin1");
      const signature = signatures.get(name) ?? (await signer.sign(message, call));
      signatures.set(name, signature);
      return signature;
    },
  };
}
