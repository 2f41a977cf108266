import { afterEach, describe, expect, test } from "vitest";
import { aTaskRun } from "../../runs.ts";
import { type KubeApi, type KubeApiOptions, kubeApi } from "./kube-api.ts";

// What it has in common with a real server is asked of both, in test/real/kube-api.contract.test.ts; here is what only this one can do.

let api: KubeApi;
afterEach(() => api?.close());

const runs = "/apis/tekton.dev/v1/namespaces/default/taskruns";
const start = async (options?: KubeApiOptions): Promise<KubeApi> => {
  api = await kubeApi(options);
  return api;
};
const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(api.url + path, init);
interface Listed {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
}
const listed = async (query = ""): Promise<Listed> => (await ask(runs + query)).json() as Promise<Listed>;
const merge = (body: unknown): RequestInit => ({
  method: "PATCH",
  body: JSON.stringify(body),
  headers: { "content-type": "application/merge-patch+json", "user-agent": "tester/1" },
});

test("a seeded run is there as it was given, and peek sees what others wrote", async () => {
  await start();
  const run = aTaskRun().named("build-1").withResult("IMAGE_URL", "registry.example/app");
  api.seed(run.object);
  const got = await (await ask(`${runs}/build-1`)).json();
  expect(got).toMatchObject({ metadata: { uid: run.object.metadata.uid }, status: { completionTime: "2026-01-01T00:01:00Z" } });
  await ask(`${runs}/build-1`, merge({ metadata: { annotations: { a: "1" } } }));
  expect(api.peek("taskruns", "default", "build-1")?.metadata.annotations).toEqual({ a: "1" });
  expect(api.peek("taskruns", "default", "none")).toBeUndefined();
  expect(() => api.seed({ apiVersion: "v1", kind: "Pod", metadata: { name: "x" } })).toThrow("keeps no v1 Pod");
});

test("tokens name users; without one of them nobody gets in", async () => {
  await start({ tokens: { secret: "alice" } });
  expect((await ask(runs)).status).toBe(401);
  expect((await ask(runs, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  expect((await ask(runs, { headers: { authorization: "Bearer secret" } })).status).toBe(200);
  expect(api.seen).toEqual([{ user: "alice", verb: "list", resource: "taskruns", name: undefined, code: 200 }]);
});

test("it says who asked what, and how that ended", async () => {
  await start();
  api.seed(aTaskRun().named("one").object);
  await ask(`${runs}/one`);
  await ask(`${runs}/none`);
  await ask(`${runs}/one`, merge({ metadata: { annotations: { a: "1" } } }));
  await ask(`${runs}/one`, { method: "DELETE" });
  await (await ask(`${runs}?watch=1&resourceVersion=1`)).text();
  expect(api.seen.map(({ verb, name, code }) => `${verb} ${name} ${code}`)).toEqual([
    "get one 200",
    "get none 404",
    "patch one 200",
    "delete one 200",
    "watch undefined 200",
  ]);
});

describe("after a compaction", () => {
  test("a list cannot be continued", async () => {
    await start();
    for (const name of ["a", "b", "c"]) api.seed(aTaskRun().named(name).object);
    const { metadata } = await listed("?limit=1");
    expect(metadata.remainingItemCount).toBe(2);
    api.compact();
    const late = await ask(`${runs}?limit=1&continue=${metadata.continue}`);
    expect(late.status).toBe(410);
    expect(await late.json()).toMatchObject({ kind: "Status", reason: "Expired", code: 410 });
  });

  test("a watch from before ends with one ERROR frame, one from now on goes on", async () => {
    await start();
    const { metadata } = await listed();
    api.seed(aTaskRun().named("a").object);
    api.compact();
    const old = await ask(`${runs}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    expect(old.status).toBe(200);
    expect(JSON.parse(await old.text())).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
    const { metadata: now } = await listed();
    const fresh = ask(`${runs}?watch=1&resourceVersion=${now.resourceVersion}&timeoutSeconds=1`);
    expect(await (await fresh).text()).toBe("");
  });
});

test("bookmarks come as often as they were ordered, to those who asked for them", async () => {
  await start({ bookmarkEveryMs: 100 });
  const count = async (query: string): Promise<number> =>
    (await (await ask(`${runs}?watch=1&timeoutSeconds=1${query}`)).text()).split("BOOKMARK").length - 1;
  const [asked, silent] = await Promise.all([count("&allowWatchBookmarks=true"), count("")]);
  expect(asked).toBeGreaterThanOrEqual(5);
  expect(silent).toBe(0);
});

test("closing cuts watches", async () => {
  await start();
  const watching = await ask(`${runs}?watch=1`);
  const end = watching.text().then(
    () => "ended",
    () => "cut",
  );
  await api.close();
  expect(await end).toBe("cut");
  api = await kubeApi();
});

test("the same seconds of a clock are no reason for a new version", async () => {
  await start();
  api.seed(aTaskRun().named("one").object);
  const apply = { ...merge({}), headers: { "content-type": "application/apply-patch+yaml" } };
  const body = JSON.stringify({ apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata: { name: "one", annotations: { a: "1" } } });
  const versions: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const answer = await ask(`${runs}/one?fieldManager=x`, { ...apply, body });
    versions.push(((await answer.json()) as Listed).metadata.resourceVersion);
    await new Promise((resolve) => setTimeout(resolve, 1050));
  }
  expect(new Set(versions).size).toBe(1);
});

test("what it cannot do it refuses by name", async () => {
  await start();
  const post = (body: string, path = runs): Promise<Response> => ask(path, { method: "POST", body });
  const protobuf = await post("k8s\0", "/api/v1/namespaces/default/secrets");
  expect([protobuf.status, await protobuf.text()]).toEqual([400, expect.stringContaining("kubectl apply -f -")]);
  expect((await post("[]")).status).toBe(400);
  expect((await post("{}", `${runs}?dryRun=All`)).status).toBe(400);
  const accepting = async (accept: string): Promise<number> => (await ask(runs, { headers: { accept } })).status;
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  expect([await accepting(table), await accepting(`${table},application/json`)]).toEqual([406, 200]);
  expect((await ask(runs, { method: "DELETE" })).status).toBe(405);
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, stringData: { a: "b" } };
  expect((await post(JSON.stringify(secret), "/api/v1/namespaces/default/secrets")).status).toBe(422);
});
