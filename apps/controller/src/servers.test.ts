import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { Gauge, Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { serveMetrics, serveProbes } from "./servers.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
async function listening(server: Server): Promise<(path: string) => Promise<readonly [number, string, string | null]>> {
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return async (path) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text(), answer.headers.get("content-type")];
  };
}
const fail = (error: unknown) => {
  throw error;
};

test("/metrics and nothing else", async () => {
  const registry = new Registry();
  new Gauge({ name: "x", help: "y", registers: [registry] }).set(7);
  const get = await listening(serveMetrics(0, registry, fail));
  expect(await get("/metrics?a=b")).toEqual([200, expect.stringContaining("x 7"), expect.stringMatching(/^text\/plain; version=0\.0\.4/)]);
  for (const path of ["/", "/metrics/", "/debug/pprof/"]) expect((await get(path))[0]).toBe(404);
});

test("a gauge that throws is a 500 and a line in the log, not the end", async () => {
  const registry = new Registry();
  const collect = () => {
    throw new TypeError("bug");
  };
  new Gauge({ name: "x", help: "y", registers: [registry], collect });
  const told: unknown[] = [];
  const get = await listening(serveMetrics(0, registry, (error) => told.push(error)));
  expect((await get("/metrics"))[0]).toBe(500);
  expect(told).toMatchObject([{ message: "bug" }]);
});

test("readiness says why; health only whether it stops", async () => {
  let why: string | undefined = "runs are being listed";
  let stops = false;
  const get = await listening(serveProbes(0, { unready: () => why, stopping: () => stops }, fail));
  const texts = async () => [(await get("/readiness")).slice(0, 2), (await get("/health")).slice(0, 2)];
  expect(await texts()).toEqual([
    [500, "runs are being listed\n"],
    [200, "ok\n"],
  ]);
  why = undefined;
  expect((await texts())[0]).toEqual([200, "ok\n"]);
  stops = true;
  expect(await texts()).toEqual([
    [500, "stopping\n"],
    [500, "stopping\n"],
  ]);
  expect((await get("/healthz"))[0]).toBe(404);
});

test("a port that is taken is told, and no reason to end", async () => {
  const other = createServer().listen(0);
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  for (const serve of [
    (trouble: (error: unknown) => void) => serveMetrics(port, new Registry(), trouble),
    (trouble: (error: unknown) => void) => serveProbes(port, { unready: () => undefined, stopping: () => false }, trouble),
  ])
    expect(await new Promise(serve)).toMatchObject({ code: "EADDRINUSE" });
  other.close();
});
