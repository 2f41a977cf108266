import { setTimeout as sleep } from "node:timers/promises";
import { http } from "@countersign/http";
import { type Attached, ociStorage } from "@countersign/storage-oci";
import { type Misbehaving, misbehave, type ProxiedRequest } from "@countersign/testing";
import { trustFromPem, verify } from "@countersign/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "./harness/child.ts";
import { type Registry, startDockerRegistry } from "./harness/index.ts";
import { writeKubeconfig } from "./harness/kubeconfig.ts";
import { built, pushImage, type System, startSystem } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * SIGKILL at each named point, and at fifty random times; then a restart. The marks are those of a life without the kill, every tag has
 * exactly as many layers as without it, and each layer verifies.
 */
let system: System;
let registry: Registry;
let api: Misbehaving;
let images: Misbehaving;
let kubeconfig: string;
let controller: Server | undefined;
const wire = http();
const signal = AbortSignal.timeout(600_000);

/** Where the controller dies; set by a test, cleared by the kill. */
let killAt: ((passage: ProxiedRequest, phase: "before" | "after") => boolean) | undefined;
let killed: Promise<void> | undefined;
function strikes(request: ProxiedRequest, phase: "before" | "after"): boolean {
  if (!killAt?.(request, phase)) return false;
  killAt = undefined;
  killed = controller?.stop();
  return true;
}

/** Before: the server never hears of the request. After: it has done it, and nobody is left to hear the answer. */
async function guarded(target: string, ca?: string): Promise<Misbehaving> {
  const gate = await misbehave(target, ca ? { targetCa: ca } : {});
  gate.fault = (request) => (strikes(request, "before") ? { kind: "half-open" } : undefined);
  gate.answered = async (request) => {
    if (strikes(request, "after")) await killed;
  };
  return gate;
}

beforeAll(async () => {
  [system, registry] = await Promise.all([startSystem(), startDockerRegistry()]);
  api = await guarded(system.api.url, system.api.ca);
  images = await guarded(registry.url);
  const token = await system.api.serviceAccountToken("tekton-chains", "tekton-chains-controller", "--duration=8h");
  kubeconfig = writeKubeconfig(`${system.api.folder}/gate.kubeconfig`, { url: api.url, token, namespace: "tekton-chains" });
  await system.configure({ "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "tekton,oci" });
});
afterAll(async () => {
  await controller?.stop();
  await Promise.all([api?.close(), images?.close(), wire.close()]);
  await system?.stop();
  await registry?.stop();
});

const live = async (): Promise<void> => {
  controller = await system.controller({ kubeconfig });
};
const marksOf = async (name: string): Promise<Readonly<Record<string, string>>> => system.annotations("taskrun", name);
const isSigned = (name: string) =>
  expect.poll(async () => (await marksOf(name))["chains.tekton.dev/signed"], { timeout: 30_000 }).toBe("true");

/** What lies at two images of a run: one signature and one attestation each, all of them good. */
async function assertWhole(name: string, pair: readonly string[]): Promise<void> {
  const trust = trustFromPem(system.publicKey);
  const shelf = ociStorage({ http: wire, credentials: async () => [] });
  for (const image of pair) {
    const attached: readonly Attached[] = await shelf.discover(image, { signal });
    expect([name, attached.map(({ kind }) => kind).sort()]).toEqual([name, ["attestation", "signature"]]);
    for (const { found, payload, digest } of attached)
      expect(verify(found, payload, trust, { subject: digest })).toMatchObject({ accepted: true });
  }
  const marks = await marksOf(name);
  expect(Object.keys(marks).filter((key) => key.startsWith("chains.tekton.dev/"))).toHaveLength(13);
  expect(marks["chains.tekton.dev/retries"]).toBeUndefined();
}
const newImages = (name: string): Promise<readonly string[]> =>
  Promise.all(
    ["one", "two"].map(async (label) => (await pushImage(registry, `${name}/${label}`, name + label)).replace(registry.host, images.host)),
  );

const isWrite = ({ method, path }: ProxiedRequest) =>
  path.startsWith("/v2/") && (method === "PUT" || method === "POST" || method === "PATCH");
const isManifest = ({ method, path }: ProxiedRequest) => method === "PUT" && path.includes("/manifests/");
const isApply = ({ method, path }: ProxiedRequest) => method === "PATCH" && path.includes("fieldManager=tekton-chains-controller&");
const nth = (n: number, phase: "before" | "after", fits: (passage: ProxiedRequest) => boolean) => {
  let seen = 0;
  return (passage: ProxiedRequest, at: "before" | "after") => at === phase && fits(passage) && ++seen === n;
};

const points: readonly (readonly [string, (name: string) => NonNullable<typeof killAt>])[] = [
  ["the run was asked for", (name) => nth(1, "before", ({ method, path }) => method === "GET" && path.endsWith(`/taskruns/${name}`))],
  ["the run came (after GET)", (name) => nth(1, "after", ({ method, path }) => method === "GET" && path.endsWith(`/taskruns/${name}`))],
  ["it was signed (first word to the registry)", () => nth(1, "before", ({ path }) => path.startsWith("/v2/"))],
  ...Array.from(
    { length: 8 },
    (_, n) => [`registry write ${n + 1} was done and not answered`, () => nth(n + 1, "after", isWrite)] as const,
  ),
  ...Array.from({ length: 4 }, (_, n) => [`manifest ${n + 1} was put and not answered`, () => nth(n + 1, "after", isManifest)] as const),
  ["the last manifest was about to be put", () => nth(4, "before", isManifest)],
  ["the PATCH was about to be sent", () => nth(1, "before", isApply)],
  ["the PATCH was done and not answered", () => nth(1, "after", isApply)],
];

test.each(points)("killed when %s", async (what, pointOf) => {
  const name = `k${points.findIndex(([title]) => title === what)}`;
  const pair = await newImages(name);
  killed = undefined;
  killAt = pointOf(name);
  await live();
  await system.put({ kind: "taskrun", name, status: built(...pair) });
  await expect.poll(() => killed !== undefined, { timeout: 20_000 }).toBe(true);
  await killed;
  await live();
  await isSigned(name);
  await assertWhole(name, pair);
  await controller?.stop();
});

test("killed at fifty random times while runs keep coming", async () => {
  const made: { name: string; pair: readonly string[] }[] = [];
  for (let life = 0; life < 50; life++) {
    const name = `r${life}`;
    const pair = await newImages(name);
    await system.put({ kind: "taskrun", name, status: built(...pair) });
    made.push({ name, pair });
    await live();
    await sleep(20 + Math.random() * 380);
    await controller?.stop();
  }
  await live();
  for (const { name } of made) await isSigned(name);
  for (const { name, pair } of made) await assertWhole(name, pair);
}, 400_000);
