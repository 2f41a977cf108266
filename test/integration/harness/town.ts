import { generateKeyPairSync } from "node:crypto";
import { memoryLedger } from "@countersign/attest";
import { type Catalog, type CatalogHost, catalog, planFromConfig } from "@countersign/catalog";
import { parseConfig } from "@countersign/config";
import { breaker, http } from "@countersign/http";
import { type FakeClock, fakeClock, type Misbehaving, misbehave, type Registry } from "@countersign/testing";
import { afterEach, expect } from "vitest";
import type { ControllerNews } from "../../../apps/controller/src/controller.ts";
import { done, type MemoryCluster, memoryCluster } from "../../../apps/controller/src/memory-cluster.fixture.ts";
import { housed, turns } from "../../../apps/controller/src/scripted-cluster.fixture.ts";

/** A controller in a town of finished runs, whose time is moved by hand: for outages that last an hour. */
export const second = 1_000;
export const minute: number = 60 * second;
/** --threads-per-controller 8, for two kinds. */
const concurrency = 16;
const prefix = "chains.tekton.dev/";

/** Closed after each test. */
export const open: { close(): Promise<void> }[] = [];
const stops: AbortController[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
/** How many requests are with the server at the same moment, at most, since the counter was set to zero. */
export function crowd(gate: Misbehaving): { now: number; most: number } {
  const crowd = { now: 0, most: 0 };
  const fault = gate.fault;
  gate.fault = (request) => {
    const found = fault(request);
    if (!found) crowd.most = Math.max(crowd.most, ++crowd.now);
    return found;
  };
  gate.answered = () => void crowd.now--;
  return crowd;
}

/** Twice the workers would be allowed; as many connections as workers are all that there are. */
export function expectNoCrowd({ most }: { readonly most: number }): void {
  expect(most).toBeLessThanOrEqual(2 * concurrency);
  expect(most).toBeLessThanOrEqual(concurrency);
}

export interface Town {
  readonly clock: FakeClock;
  readonly cluster: MemoryCluster;
  readonly house: ReturnType<typeof housed>;
  readonly givenUp: readonly ControllerNews[];
  readonly ledgerBytes: () => number;
  /** Moves time in steps, each time until nobody is at work; answers when `until` first held. */
  pass(ms: number, until?: () => boolean): Promise<void>;
  readonly signed: () => number;
}

const ledgerCap = 256 * 1024;

/** A controller over a cluster with finished runs, each of which built an image of its own; its plan is made of a configuration. */
export async function town(
  runs: number,
  registryHost: string,
  config: Readonly<Record<string, string>>,
  { clock = fakeClock(), from = catalog }: { readonly clock?: FakeClock; readonly from?: Catalog } = {},
): Promise<Town> {
  const cluster = memoryCluster();
  for (let n = 0; n < runs; n++) {
    const digest = `sha256:${n.toString(16).padStart(64, "0")}`;
    const results = [
      { name: "IMAGE_URL", type: "string", value: `${registryHost}/team/app-${n % 7}` },
      { name: "IMAGE_DIGEST", type: "string", value: digest },
    ];
    cluster.put({ name: `run-${n}`, status: done({ results }) });
  }
  const wire = http({
    env: {},
    connections: concurrency,
    backOffMs: () => 1,
    breaker: breaker({ now: clock.now, recovered: () => house.loop.recovered() }),
  });
  open.push(wire);
  const host: CatalogHost = {
    keys: { current: async () => ({ version: "1", files: { "x509.pem": pem } }) },
    env: {},
    credentials: () => async () => [],
    registryHttp: () => wire,
    http: () => wire,
  };
  const parsed = parseConfig(config);
  let most = 0;
  const memory = memoryLedger({ maxBytes: ledgerCap });
  const ledger = {
    ...memory,
    remember(...what: Parameters<typeof memory.remember>) {
      memory.remember(...what);
      most = Math.max(most, memory.bytes);
    },
    get bytes() {
      return memory.bytes;
    },
  };
  const givenUp: ControllerNews[] = [];
  const house = housed(cluster, {
    ...{ visitsAtOnce: concurrency, planOf: planFromConfig(parsed.config, host, from), clock, ledger },
    // Ten thousand failures would be kept otherwise, each with its causes: the memory to be measured is the controller's.
    speak: (news) => void (news.kind === "failed" && news.final && givenUp.push(news)),
    events: { tell: async () => undefined },
  });
  stops.push(house.stop);
  void house.run();
  await turns();
  async function idle(): Promise<void> {
    while (house.loop.depth > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return {
    ...{ clock, cluster, house, givenUp },
    ledgerBytes: () => most,
    async pass(ms, until = () => false) {
      const end = clock.now() + ms;
      await idle();
      while (clock.now() < end && !until()) {
        await clock.advance(Math.min(5 * second, end - clock.now()));
        await idle();
        cluster.requests.length = 0;
      }
    },
    signed: () => [...cluster.stored.values()].filter(({ metadata }) => metadata.annotations[`${prefix}signed`] === "true").length,
  };
}

export const marksOf = ({ cluster }: Town, mark: string): readonly string[] =>
  [...cluster.stored.values()].flatMap(({ metadata }) => metadata.annotations[prefix + mark] ?? []);

/** All signed, nothing counted against any run, nothing told as failed for good. */
function expectAllWell(place: Town, runs: number): void {
  expect(place.signed()).toBe(runs);
  expect(marksOf(place, "retries")).toEqual([]);
  expect(place.givenUp).toEqual([]);
  expect(place.ledgerBytes()).toBeLessThanOrEqual(ledgerCap);
}

/** How long it took until all were signed; five minutes at most. */
export async function recovery(place: Town, runs: number): Promise<number> {
  const since = place.clock.now();
  await place.pass(5 * minute, () => place.signed() === runs);
  const tookMs = place.clock.now() - since;
  expectAllWell(place, runs);
  expect(tookMs).toBeLessThanOrEqual(5 * minute);
  // Many waiters make sure that somebody probes as soon as the breaker lets them, and the first answer wakes all the others.
  if (runs > 100) expect(tookMs).toBeLessThanOrEqual(minute);
  return tookMs;
}

/** Five hundred runs with one attestation each, or a few with two: most of an hour's outage is formatting and signing for nothing. */
export const kindsOf = (runs: number): readonly string[] => (runs < 100 ? ["att", "sig"] : ["att"]);
export const oci = (runs: number): Readonly<Record<string, string>> => ({
  "artifacts.taskrun.storage": "oci",
  "artifacts.oci.storage": kindsOf(runs).includes("sig") ? "oci" : "",
});

export async function gated(server: { readonly url: string; close(): Promise<void> }): Promise<Misbehaving> {
  const gate = await misbehave(server.url);
  open.push(gate, server);
  return gate;
}

/** Each image's tag in the registry holds one layer: stored, and stored once. */
export function expectOnce(store: Registry, runs: number): void {
  for (let n = 0; n < runs; n++)
    for (const kind of kindsOf(runs)) {
      const tag = `sha256-${n.toString(16).padStart(64, "0")}.${kind}`;
      const manifest = store.manifest(`team/app-${n % 7}`, tag);
      const { layers } = JSON.parse(Buffer.from(manifest?.bytes ?? "{}").toString()) as { layers?: readonly object[] };
      expect(layers?.length, tag).toBe(1);
    }
}
