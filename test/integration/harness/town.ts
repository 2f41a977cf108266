import { generateKeyPairSync } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { memoryLedger } from "@countersign/attest";
import { type Catalog, type CatalogHost, catalog, planFromConfig } from "@countersign/catalog";
import { parseConfig } from "@countersign/config";
import type { Signature, Signer } from "@countersign/core";
import { breaker, http } from "@countersign/http";
import {
  type FakeClock,
  fakeClock,
  localhostTls,
  type MisbehaveOptions,
  type Misbehaving,
  misbehave,
  type Registry,
} from "@countersign/testing";
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

/** Of the requests to one server: how many it had at the same moment, at most, and how many there were. */
export interface Crowd {
  most: number;
  all: number;
}

/** Node itself tells of each request that a server in this process has read; it is gone with its answer or its connection. */
export function crowdAt(url: string): Crowd {
  const crowd: Crowd = { most: 0, all: 0 };
  const port = Number(new URL(url).port);
  let now = 0;
  const came = (message: unknown): void => {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    if (request.socket.localPort !== port) return;
    crowd.all += 1;
    crowd.most = Math.max(crowd.most, ++now);
    response.once("close", () => void now--);
  };
  subscribe("http.server.request.start", came);
  open.push({ close: async () => void unsubscribe("http.server.request.start", came) });
  return crowd;
}

/** Twice the workers would be allowed; as many connections as workers are all that there are. */
export function expectNoCrowd({ most }: Crowd): void {
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(concurrency);
}

/** Signatures over the same bytes are the same, as a few runs prove; for many each is made once, or an hour would cost twice as much. */
function knowingByHeart(signer: Signer): Signer {
  const made = new Map<string, Promise<Signature>>();
  return {
    ...signer,
    sign(message, call) {
      const text = Buffer.from(message).toString("latin1");
      const signature = made.get(text) ?? signer.sign(message, call);
      made.set(text, signature);
      return signature;
    },
  };
}

/** The catalog whose keys sign each message once. */
const learned = ({ signers, ...rest }: Catalog): Catalog => ({
  ...rest,
  signers: Object.fromEntries(Object.entries(signers).map(([name, make]) => [name, (...how) => knowingByHeart(make(...how))])),
});

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
    ca: localhostTls.cert,
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
    ...{ visitsAtOnce: concurrency, planOf: planFromConfig(parsed.config, host, runs > 100 ? learned(from) : from), clock, ledger },
    // Ten thousand failures would be kept otherwise, each with its causes: the memory to be measured is the controller's.
    speak: (news) => void (news.kind === "failed" && news.final && givenUp.push(news)),
    events: { tell: async () => undefined },
  });
  stops.push(house.stop);
  void house.run();
  await turns();
  async function idle(): Promise<void> {
    // Most visits are over within a few turns; nobody spins while a server is silent.
    for (let turn = 0; house.loop.depth > 0; turn++) await (turn < 5_000 ? nextTurn() : sleep(1));
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

/** How long it took until all were signed: five minutes at most, or `within`. */
export async function recovery(place: Town, runs: number, within: number = 5 * minute): Promise<number> {
  const since = place.clock.now();
  await place.pass(5 * minute, () => place.signed() === runs);
  const tookMs = place.clock.now() - since;
  expectAllWell(place, runs);
  expect(tookMs).toBeLessThanOrEqual(within);
  return tookMs;
}

/** How many runs, and what each leaves in the registry: its provenance, or its image's signature too. */
export interface Size {
  readonly runs: number;
  readonly kinds: readonly ("att" | "sig")[];
}

/** Five hundred with one attestation each, and a few with two: formatting is most of what an hour's outage costs. */
export const sizes: readonly Size[] = [
  { runs: 500, kinds: ["att"] },
  { runs: 10, kinds: ["att", "sig"] },
];

/**
 * An hour of five hundred costs half a minute: of such rows only those are in every run that differ most from the others. All of them:
 * OUTAGES=all.
 */
export const rowsFor = <T extends readonly [name: string, ...rest: readonly unknown[]]>(
  { runs }: Size,
  rows: readonly T[],
  always: readonly string[],
): readonly T[] => rows.filter(([name]) => runs < 100 || process.env["OUTAGES"] === "all" || always.includes(name));

export const oci = ({ kinds }: Size): Readonly<Record<string, string>> => ({
  "artifacts.taskrun.storage": "oci",
  "artifacts.oci.storage": kinds.includes("sig") ? "oci" : "",
});

export async function gated(
  server: { readonly url: string; close(): Promise<void> },
  options: MisbehaveOptions = {},
): Promise<Misbehaving> {
  const gate = await misbehave(server.url, options);
  open.push(gate, server);
  return gate;
}

/** Each image's tag in the registry holds one layer: stored, and stored once. */
export function expectOnce(store: Registry, { runs, kinds }: Size): void {
  for (let n = 0; n < runs; n++)
    for (const kind of kinds) {
      const tag = `sha256-${n.toString(16).padStart(64, "0")}.${kind}`;
      const manifest = store.manifest(`team/app-${n % 7}`, tag);
      const { layers } = JSON.parse(Buffer.from(manifest?.bytes ?? "{}").toString()) as { layers?: readonly object[] };
      expect(layers?.length, tag).toBe(1);
    }
}
