import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RegistrySecrets } from "@countersign/kube";
import { afterEach, describe, expect, test } from "vitest";
import { type PodHost, type PodHostOptions, podHost } from "./pod-host.ts";

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const secretsOf =
  (name: string): RegistrySecrets =>
  async (namespace) => [
    {
      source: `secret ${namespace}/${name}`,
      type: "kubernetes.io/dockerconfigjson",
      text: JSON.stringify({ auths: { "registry.example": { username: name, password: "p" } } }),
    },
  ];
const inPod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443", HOME: "/nowhere" };

function host(env: Record<string, string> = inPod, more: Partial<PodHostOptions> = {}): PodHost {
  const made = podHost({
    keys: { current: async () => ({ version: "1", files: {} }) },
    ...{ secrets: secretsOf("push"), imagePullSecrets: secretsOf("pull"), env },
    ...more,
  });
  cleanUp.push(() => made.close());
  return made;
}

async function serving(): Promise<string> {
  const server = createServer((_, response) => response.end("x"));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanUp.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
const open = { insecure: false, allowedHosts: [] };
const get = (made: ReturnType<PodHost["http"]>, url: string) =>
  made.request({ url, signal: AbortSignal.timeout(5_000), tries: 1, totalMs: 1_000 }).then(
    ({ status }) => status,
    ({ fault }) => fault,
  );

describe("the way to registries", () => {
  test("a pod's loopback is not for image names, unless it is listed; outside of a pod it is the user's own", async () => {
    const url = await serving();
    expect(await get(host().registryHttp(open), url)).toBe("refused-host");
    expect(await get(host().registryHttp({ ...open, allowedHosts: ["127.0.0.1"] }), url)).toBe(200);
    expect(await get(host({}).registryHttp(open), url)).toBe(200);
    expect(await get(host({}).registryHttp({ ...open, allowedHosts: ["registry.example"] }), url)).toBe("refused-host");
  });

  test("strict: private addresses only where they are listed; the metadata service never", async () => {
    const strict = host().registryHttp({ ...open, allowedHosts: ["10.1.0.0/16"] });
    expect(await get(strict, "http://10.2.0.1:9/")).toBe("refused-host");
    for (const any of [
      strict,
      host().registryHttp(open),
      host({}).registryHttp({ ...open, allowedHosts: ["169.254.169.254", "0.0.0.0/0"] }),
    ])
      expect(await get(any, "http://169.254.169.254/")).toBe("refused-host");
  });

  test("an entry that is no host is said, and holds the route", () => {
    expect(() => host().registryHttp({ ...open, allowedHosts: ["https://r.io"] })).toThrow(
      expect.objectContaining({ code: "config.allowed-hosts", retry: "hold", message: expect.stringContaining("https://r.io") }),
    );
  });

  test("the same rules are the same connections; what the administrator names goes another way", async () => {
    const one = host();
    expect(one.registryHttp(open)).toBe(one.registryHttp({ ...open }));
    expect(one.registryHttp({ ...open, insecure: ["r.io"] })).not.toBe(one.registryHttp(open));
    expect(one.http()).toBe(one.http());
    expect(await get(one.http(), await serving())).toBe(200);
  });
});

test("who is down is given a rest, whichever way leads there, and its return is told", async () => {
  let [now, told, asked, status] = [0, 0, 0, 503];
  const server = createServer((_, response) => {
    asked += 1;
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanUp.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const one = host({}, { now: () => now, recovered: () => void told++ });
  for (let n = 0; n < 5; n++) expect(await get(one.registryHttp(open), url)).toBe(503);
  expect([await get(one.registryHttp({ ...open, insecure: true }), url), await get(one.http(), url), asked]).toEqual([
    "paused",
    "paused",
    5,
  ]);
  [now, status] = [11_000, 200];
  expect([await get(one.http(), url), told]).toEqual([200, 1]);
  expect([await get(one.registryHttp(open), url), told]).toEqual([200, 1]);
});

describe("credentials", () => {
  const run = { run: { kind: "TaskRun", namespace: "ci", name: "n", uid: "u" }, serviceAccount: "builder" } as const;
  const of = async (...sources: readonly string[]) =>
    (await host().credentials(sources)(run, { registry: "registry.example", repository: "a" }, { signal: AbortSignal.timeout(5_000) })).map(
      ({ source }) => source,
    );

  test("from the sources that the configuration names, in its order", async () => {
    expect(await of("serviceaccount-secrets", "pod")).toEqual(["secret ci/push"]);
    expect(await of("image-pull-secrets", "serviceaccount-secrets")).toEqual(["secret ci/pull", "secret ci/push"]);
    expect(await of("pod", "ecr", "gar", "acr")).toEqual([]);
    expect(() => host().credentials(["docker"])).toThrow(expect.objectContaining({ code: "config.credential-sources" }));
  });
});
