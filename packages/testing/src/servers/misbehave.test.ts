import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aTaskRun } from "../runs.ts";
import { type KubeApi, kubeApi } from "./kube-api/kube-api.ts";
import { canary, type Misbehaving, misbehave } from "./misbehave.ts";
import { type Registry, registry } from "./registry.ts";

let target: Registry;
let proxy: Misbehaving;
beforeEach(async () => {
  target = await registry();
  target.seedImage("app", "v1");
  proxy = await misbehave(target.url);
});
afterEach(async () => {
  await proxy.close();
  await target.close();
});
const manifest = (init?: RequestInit): Promise<Response> => fetch(`${proxy.url}/v2/app/manifests/v1`, init);

test("without a fault nobody notices it, and it has seen everything", async () => {
  const direct = await fetch(`${target.url}/v2/app/manifests/v1`);
  const through = await manifest({ headers: { "x-test": "1" } });
  expect(through.status).toBe(200);
  expect(through.headers.get("docker-content-digest")).toBe(direct.headers.get("docker-content-digest"));
  expect(await through.text()).toBe(await direct.text());
  const upload = await fetch(`${proxy.url}/v2/app/blobs/uploads/`, { method: "POST", body: "hello" });
  expect(upload.status).toBe(202);
  expect(proxy.requests).toMatchObject([
    { method: "GET", path: "/v2/app/manifests/v1", status: 200, headers: { "x-test": "1" } },
    { method: "POST", body: "hello", status: 202 },
  ]);
  expect([proxy.count(), proxy.count("POST"), proxy.count("GET", /manifests/), proxy.count("GET", /blobs/)]).toEqual([2, 1, 1, 0]);
});

test("a status of its own carries the canary and reaches nobody behind it", async () => {
  proxy.fault = () => ({ kind: "status", status: 503, headers: { "retry-after": "7" } });
  const answer = await manifest();
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "7"]);
  expect(await answer.text()).toContain(canary);
  expect(target.seen).toEqual([]);
});

test("only what a test picks goes wrong", async () => {
  proxy.fault = ({ method }) => (method === "POST" ? { kind: "status", status: 500, body: "" } : undefined);
  expect((await manifest()).status).toBe(200);
  expect((await fetch(`${proxy.url}/v2/app/blobs/uploads/`, { method: "POST" })).status).toBe(500);
});

describe("connections break", () => {
  test("before the head", async () => {
    proxy.fault = () => ({ kind: "cut" });
    await expect(manifest()).rejects.toThrow();
    expect(target.seen).toEqual([]);
  });

  test("in the middle of the body", async () => {
    proxy.fault = () => ({ kind: "cut", afterBytes: 10 });
    const answer = await manifest();
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  test("after the deed, so that the writer cannot know", async () => {
    proxy.fault = () => ({ kind: "lost-answer" });
    await expect(fetch(`${proxy.url}/v2/app/blobs/uploads/`, { method: "POST" })).rejects.toThrow();
    expect(target.seen).toMatchObject([{ method: "POST", status: 202 }]);
  });

  test("all at once", async () => {
    proxy.fault = () => ({ kind: "half-open" });
    const waiting = manifest();
    await expect.poll(() => proxy.requests.length).toBe(1);
    proxy.cutAll();
    await expect(waiting).rejects.toThrow();
  });
});

test("half-open: taken, and silent until the client gives up", async () => {
  proxy.fault = () => ({ kind: "half-open" });
  await expect(manifest({ signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout|aborted/i);
  expect(proxy.requests[0]?.status).toBeUndefined();
  expect(target.seen).toEqual([]);
});

test("delay and slow take their time", async () => {
  proxy.fault = () => ({ kind: "delay", ms: 200 });
  let began = performance.now();
  await (await manifest()).text();
  expect(performance.now() - began).toBeGreaterThan(190);
  proxy.fault = () => ({ kind: "slow", msPerByte: 1 });
  began = performance.now();
  const text = await (await manifest()).text();
  expect(JSON.parse(text).schemaVersion).toBe(2);
  expect(performance.now() - began).toBeGreaterThan(text.length * 0.9);
});

test("garbage is a 200 that is no JSON", async () => {
  proxy.fault = () => ({ kind: "garbage" });
  const answer = await manifest();
  expect(answer.status).toBe(200);
  await expect(answer.json()).rejects.toThrow();
});

test("a door of its own, in front of a server that has none", async () => {
  const guarded = await misbehave(target.url, { auth: { scheme: "bearer", users: { robot: "pw" } } });
  const ask = (token = ""): Promise<number> =>
    fetch(`${guarded.url}/v2/app/manifests/v1`, { headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status);
  expect(await ask()).toBe(401);
  const login = { headers: { authorization: `Basic ${btoa("robot:pw")}` } };
  const { token } = (await (await fetch(`${guarded.url}/token?scope=repository:app:pull`, login)).json()) as { token: string };
  expect(await ask(token)).toBe(200);
  guarded.expireTokens();
  expect(await ask(token)).toBe(401);
  await guarded.close();
});

test("a watch goes through as it happens, with a token added on the way", async () => {
  const api: KubeApi = await kubeApi({ tokens: { t: "alice" } });
  const front = await misbehave(api.url, { addHeaders: { authorization: "Bearer t" } });
  const answer = await fetch(`${front.url}/apis/tekton.dev/v1/taskruns?watch=1`);
  expect(answer.status).toBe(200);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  api.seed(aTaskRun().named("live").object);
  const { value } = await reader.read();
  expect(JSON.parse(Buffer.from(value ?? []).toString())).toMatchObject({ type: "ADDED", object: { metadata: { name: "live" } } });
  front.cutAll();
  await expect(reader.read()).rejects.toThrow();
  await front.close();
  await api.close();
});

test("whoever stands at the gate knows that it is done before the client does", async () => {
  const order: string[] = [];
  proxy.answered = async ({ method }) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`${method} is done`);
  };
  await manifest();
  order.push("the client knows");
  expect(order).toEqual(["GET is done", "the client knows"]);
});

test("one bit of a body is another, and nothing says so", async () => {
  const sound = Buffer.from(await (await manifest()).arrayBuffer());
  proxy.fault = () => ({ kind: "flip" });
  const answer = await manifest();
  const changed = Buffer.from(await answer.arrayBuffer());
  expect([changed.length, changed.subarray(1).equals(sound.subarray(1)), changed.equals(sound)]).toEqual([sound.length, true, false]);
  expect(answer.headers.get("docker-content-digest")).toMatch(/^sha256:/);
});

test("a body without end goes on until somebody has had enough", async () => {
  proxy.fault = () => ({ kind: "endless" });
  const stop = new AbortController();
  const answer = await manifest({ signal: stop.signal });
  let size = 0;
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) {
      size += chunk.length;
      if (size > 5_000_000) stop.abort();
    }
  })();
  await expect(reading).rejects.toThrow();
  expect(target.seen).toEqual([]);
});
