import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Http, http } from "@countersign/http";
import { ociStorage } from "@countersign/storage-oci";
import { type Misbehaving, misbehave } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StormOrders, StormReport } from "./attach-storm.worker.ts";
import { type Registry, startDockerRegistry, startOciRegistry } from "./harness/index.ts";
import { pushImage } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * Fifty writers in three processes attach to one image; each of their requests is held up for 0 to 30 ms. Afterwards all fifty are there,
 * none twice. STORM_ROUNDS=20 makes it twenty times in a row (2 by default).
 */
const rounds = Number(process.env["STORM_ROUNDS"] ?? 2);
const writers = 50;
const processes = 3;
const spreadMs = 2_000;
const signal = AbortSignal.timeout(60_000 + rounds * 40_000);

const storms = [
  ["tags of docker-registry", "tags", () => startDockerRegistry()],
  ["the fallback index of docker-registry", "bundles", () => startDockerRegistry()],
  ["tags of the registry with the Referrers API", "tags", () => startOciRegistry()],
] as const;

describe.each(storms)("a storm on %s", (_, layout, start) => {
  let registry: Registry;
  let front: Misbehaving;
  let wire: Http;
  beforeAll(async () => {
    registry = await start();
    front = await misbehave(registry.url);
    front.fault = () => ({ kind: "delay", ms: Math.random() * 30 });
    wire = http({ env: {} });
  });
  afterAll(async () => {
    await wire?.close();
    await front?.close();
    await registry?.stop();
  });

  test(`${rounds} rounds: all are found, none twice, and they did meet`, { timeout: 30_000 + rounds * 40_000 }, async () => {
    const met = { moved: 0, lost: 0, again: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const image = await pushImage(registry, "team/app", `${round}`);
      const sha256 = image.split("@sha256:")[1] ?? "";
      const start = Date.now();
      const reports = await storm((names) => ({ repository: `${front.host}/team/app`, sha256, layout, names, spreadMs }));
      const took = Date.now() - start;
      const failures = reports.flatMap(({ failures }) => failures);
      if (process.env["STORM_ROUNDS"] && failures.length > 0) console.log(`round ${round}: ${failures.join("; ")}`);
      expect(failures).toEqual([]);
      const found = (await ociStorage({ http: wire, credentials: async () => [] }).discover(image, { signal })).map(
        ({ found: { digest } }) => digest,
      );
      if (process.env["STORM_ROUNDS"] && found.length !== writers) console.log(`round ${round}: ${found.length} found`);
      expect(found.length, `in round ${round}`).toBe(writers);
      expect([...found].sort()).toEqual(reports.flatMap(({ stored }) => stored).sort());
      for (const what of ["moved", "lost", "again"] as const) met[what] += reports.reduce((sum, report) => sum + report[what], 0);
      if (process.env["STORM_ROUNDS"])
        console.log(`round ${round}: ${took} ms, ${JSON.stringify(met)} so far, ${front.requests.length} requests`);
    }
    expect(met.moved, "the writers must have met often, or this test shows nothing").toBeGreaterThanOrEqual(Math.min(100, 5 * rounds));
    expect(met.lost, "and taken away each other's work").toBeGreaterThanOrEqual(Math.floor(rounds / 4));
  });
});

/** All processes are ready before the first of them begins. */
async function storm(ordersFor: (names: readonly string[]) => StormOrders): Promise<readonly StormReport[]> {
  const names = Array.from({ length: writers }, (_, n) => `writer-${n}`);
  const workers = Array.from({ length: processes }, (_, p) => {
    const orders = ordersFor(names.filter((_, n) => n % processes === p));
    const child = spawn(process.execPath, [`${import.meta.dirname}/attach-storm.worker.ts`, JSON.stringify(orders)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return { child, next: async (): Promise<string> => (await lines.next()).value ?? "" };
  });
  try {
    expect(await Promise.all(workers.map(({ next }) => next()))).toEqual(workers.map(() => "ready"));
    for (const { child } of workers) child.stdin.write("go\n");
    return (await Promise.all(workers.map(({ next }) => next()))).map((line) => JSON.parse(line) as StormReport);
  } finally {
    await Promise.all(workers.map(({ child }) => child.exitCode ?? (child.kill("SIGKILL") && once(child, "exit"))));
  }
}
