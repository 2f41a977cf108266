import { AsyncLocalStorage } from "node:async_hooks";
import { attestRun } from "@countersign/attest";
import { type Route, route, type Signer, type StorageBackend } from "@countersign/core";
import { signV1, simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { type Http, http } from "@countersign/http";
import { ociStorage } from "@countersign/storage-oci";
import { imagesOf, parseRun } from "@countersign/tekton";
import { fakeSigner, type Misbehaving, misbehave } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtRun } from "./harness/built-run.ts";
import { type Registry, startDockerRegistry, startOciRegistry } from "./harness/index.ts";
import { pushImage } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * What the first attestation and image signature of a run cost a registry that has never been met, through the whole pipeline. Writes are
 * everything that storing needs; the greeting, tokens and the reading back are rows of their own. Tekton Chains makes 34 (tags) and 39
 * (bundles).
 */
interface Row {
  readonly greeting: number;
  readonly token: number;
  readonly writes: number;
  readonly readBack: number;
}

const call = { signal: AbortSignal.timeout(120_000) };
const signer: Signer = fakeSigner();
const reading = new AsyncLocalStorage<true>();
const door = { scheme: "bearer", users: { pusher: "pw" } } as const;

/** Counts by what a request is for; the look after a write and everything within find() is reading back. */
function counting(wire: Http): { readonly http: Http; readonly row: () => Row; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const kindOf = (method: string, path: string): keyof Row => {
    if (path === "/v2/") return "greeting";
    if (path === "/token") return "token";
    const isLook = method === "HEAD" && /\/manifests\/sha256-/.test(path);
    return isLook || reading.getStore() ? "readBack" : "writes";
  };
  return {
    http: {
      ...wire,
      request(request) {
        const { method = "GET", url } = request;
        // Plain http is found out by a greeting in vain over TLS, which never becomes a request.
        if (!`${url}`.startsWith("https:")) lines.push(`${kindOf(method, new URL(url).pathname)} ${method} ${new URL(url).pathname}`);
        return wire.request(request);
      },
    },
    row: () => {
      const of = (kind: keyof Row): number => lines.filter((line) => line.startsWith(`${kind} `)).length;
      return { greeting: of("greeting"), token: of("token"), writes: of("writes"), readBack: of("readBack") };
    },
    lines,
  };
}

const readBack = (backend: StorageBackend): StorageBackend => ({
  ...backend,
  find: (where, call) => reading.run(true, async () => (await backend.find?.(where, call)) ?? []),
});

const rows: string[] = [];
afterAll(() => console.log(["registry | layout | greeting | token | writes | read back", ...rows].join("\n")));
const registriesUnderTest = [
  // No Referrers API, and a blob takes two requests.
  ["docker-registry", () => startDockerRegistry(), { tags: 12, bundles: 14 }],
  ["the registry with single POST and the Referrers API", () => startOciRegistry(), { tags: 8, bundles: 10 }],
] as const;

describe.each(registriesUnderTest)("%s", (name, start, most) => {
  let registry: Registry;
  let front: Misbehaving;
  let wire: Http;
  beforeAll(async () => {
    registry = await start();
    front = await misbehave(registry.url, { auth: door });
    wire = http({ env: {} });
    // Cold code is slow, and who is slow between reading and writing asks once more before he writes.
    await attested(["tags", "bundles"], "warm-up");
    rows.pop();
  });
  afterAll(async () => {
    await wire?.close();
    await front?.close();
    await registry?.stop();
  });

  async function attested(layouts: readonly ("tags" | "bundles")[], label: string): Promise<ReturnType<typeof counting>> {
    const image = await pushImage(registry, "team/app", label);
    const counted = counting(wire);
    const credentials = async () => [{ kind: "basic", username: "pusher", password: "pw", source: "the test" }] as const;
    const backends = layouts.map((layout) => readBack(ociStorage({ http: counted.http, credentials, layout })));
    const digest = image.split("@")[1] ?? "";
    const run = parseRun(JSON.stringify(builtRun(`${front.host}/team/app@${digest}`)));
    const through = { signer, witnesses: [], backends };
    const formatters = layouts.map((layout) => (layout === "tags" ? simplesigning() : signV1()));
    const routes: readonly Route[] = [
      route(run, slsaV02({ builderId: "https://builder.example", deepInspection: false, format: "slsa/v1" }), through),
      ...imagesOf(run).flatMap((built) => formatters.map((formatter) => route(built, formatter, through))),
    ];
    const { outcomes } = await attestRun(run, routes, call);
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
    expect(outcomes.flatMap(({ stored }) => stored.flatMap(({ uris }) => uris))).toHaveLength(2 * layouts.length);
    rows.push(`${name} | ${layouts.join(" and ")} | ${Object.values(counted.row()).join(" | ")}`);
    return counted;
  }

  test.each(["tags", "bundles"] as const)("%s", { retry: 2 }, async (layout) => {
    const { row, lines } = await attested([layout], layout);
    expect(row().writes, lines.join("\n")).toBeLessThanOrEqual(most[layout]);
    // One look for each tag, one for the index or, where the registry keeps the list, one listing for each bundle.
    expect(row().readBack, lines.join("\n")).toBeLessThanOrEqual(2);
    expect(row().greeting).toBe(1);
    expect(row().token).toBeLessThanOrEqual(2);
  });

  test("both", { retry: 2 }, async () => {
    const { row, lines } = await attested(["tags", "bundles"], "both");
    expect(row().writes, lines.join("\n")).toBeLessThanOrEqual(most.tags + most.bundles);
    expect(row().readBack, lines.join("\n")).toBeLessThanOrEqual(4);
  });
});
