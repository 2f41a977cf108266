import { setTimeout as sleep } from "node:timers/promises";
import { clusterRuns, type KubeConnection, kubeConnection, kubeconfigCredentials, listWatch } from "@countersign/kube";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiServer, applyTektonCrds, type Etcd, startApiServer, startEtcd } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** The wire of packages/kube against a real API server with Tekton's own CRDs. */
let etcd: Etcd;
let api: ApiServer;
let connection: KubeConnection;
const stop = new AbortController();
const signal = AbortSignal.timeout(170_000);
const path = "/apis/tekton.dev/v1/namespaces/default/taskruns";

beforeAll(async () => {
  etcd = await startEtcd();
  // Without the cache of old lists a continuation expires as soon as etcd is compacted.
  api = await startApiServer({ etcd, auditLog: true, args: ["--feature-gates=ListFromCacheSnapshot=false"] });
  await applyTektonCrds(api);
  connection = await kubeConnection(await kubeconfigCredentials({ file: api.kubeconfig }));
});
afterAll(async () => {
  stop.abort();
  await connection?.close();
  await api?.stop();
  await etcd?.stop();
});

async function create(name: string, annotations = {}): Promise<{ uid: string }> {
  const body = { apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata: { name, annotations }, spec: { taskRef: { name: "t" } } };
  const { metadata } = (await api.request(path, { method: "POST", body })).json() as { metadata: { uid: string } };
  return metadata;
}
const annotationsOf = (text: string): Record<string, string> => JSON.parse(text).metadata.annotations ?? {};

test("apply keeps foreign annotations, drops what of ours is not named, and forces its own", async () => {
  const { uid } = await create("apply", { "team/owner": "me", "chains.tekton.dev/transparency-upload": "true" });
  const ref = { kind: "TaskRun", namespace: "default", name: "apply", uid } as const;
  const runs = clusterRuns(connection);
  const first = annotationsOf(
    await runs.annotate(ref, { "chains.tekton.dev/a": "1", "chains.tekton.dev/transparency-upload": "true" }, { signal }),
  );
  expect(first).toEqual({ "team/owner": "me", "chains.tekton.dev/transparency-upload": "true", "chains.tekton.dev/a": "1" });
  const second = annotationsOf(await runs.annotate(ref, { "chains.tekton.dev/b": "2" }, { signal }));
  expect(second["chains.tekton.dev/a"]).toBeUndefined();
  expect(second["team/owner"]).toBe("me");
  await api.kubectl(["annotate", "--overwrite", "taskrun", "apply", "chains.tekton.dev/b=stolen", "--field-manager=thief"]);
  const third = annotationsOf(await runs.annotate(ref, { "chains.tekton.dev/b": "3" }, { signal }));
  expect(third["chains.tekton.dev/b"]).toBe("3");
});

test("a run recreated under its name, or vanished, is gone and stays untouched", async () => {
  const { uid } = await create("swap");
  const ref = { kind: "TaskRun", namespace: "default", name: "swap", uid } as const;
  const runs = clusterRuns(connection);
  await api.kubectl(["delete", "taskrun", "swap"]);
  await expect(runs.annotate(ref, { "chains.tekton.dev/signed": "true" }, { signal })).rejects.toMatchObject({ code: "mark.gone" });
  expect(await runs.get(ref, { signal })).toBeUndefined();
  await create("swap");
  await expect(runs.annotate(ref, { "chains.tekton.dev/signed": "true" }, { signal })).rejects.toMatchObject({ code: "mark.gone" });
  await expect(runs.finalizers(ref, ["chains.tekton.dev/taskrun"], { signal })).rejects.toMatchObject({ code: "mark.gone" });
  expect(annotationsOf((await runs.get(ref, { signal })) ?? "")).toEqual({});
});

test("our finalizer goes on and off, foreign ones stay, also where a merge patch had written ours", async () => {
  const { uid } = await create("final");
  const ref = { kind: "TaskRun", namespace: "default", name: "final", uid } as const;
  const runs = clusterRuns(connection);
  const finalizers = (text: string): string[] => JSON.parse(text).metadata.finalizers ?? [];
  await api.kubectl(["patch", "taskrun", "final", "--type=merge", "-p", '{"metadata":{"finalizers":["foreign.dev/keep"]}}']);
  expect(finalizers(await runs.finalizers(ref, ["chains.tekton.dev/taskrun"], { signal })).sort()).toEqual([
    "chains.tekton.dev/taskrun",
    "foreign.dev/keep",
  ]);
  expect(finalizers(await runs.finalizers(ref, [], { signal }))).toEqual(["foreign.dev/keep"]);
  await api.kubectl([
    "patch",
    "taskrun",
    "final",
    "--type=merge",
    "-p",
    '{"metadata":{"finalizers":["foreign.dev/keep","chains.tekton.dev"]}}',
  ]);
  expect(finalizers(await runs.finalizers(ref, [], { signal }))).toEqual(["foreign.dev/keep"]);
});

test("list-watch pages, survives compaction between two pages, a restart of the server and a version that is too old", async () => {
  for (let n = 0; n < 30; n++) await create(`page-${n}`);
  const seen = new Set<string>();
  const troubles: string[] = [];
  let lists = 0;
  let compacted = false;
  const meddled: KubeConnection = {
    ...connection,
    async request(request) {
      const text = await connection.request(request);
      if (request.verb === "list" && !compacted && JSON.parse(text).metadata.continue) {
        compacted = true;
        await create("after-first-page");
        await compact();
      }
      return text;
    },
  };
  const loop = listWatch<string>(
    {
      connection: meddled,
      resource: "taskruns",
      path,
      firstPage: 10,
      project: (object) => (object as { metadata: { name: string } }).metadata.name,
      keyOf: String,
      listener: {
        seen: (name) => seen.add(name),
        gone: (name) => seen.delete(name),
        listed: (keys) => {
          lists++;
          for (const name of seen) if (!keys.has(name)) seen.delete(name);
        },
        trouble: (error) => troubles.push((error as Error).message),
      },
    },
    { signal: stop.signal },
  );
  await expect.poll(() => lists, { timeout: 20_000 }).toBe(1);
  expect(troubles.join()).toMatch(/410/);
  expect([...seen].filter((name) => name.startsWith("page-"))).toHaveLength(30);

  await api.restart();
  await create("after-restart");
  await api.kubectl(["delete", "taskrun", "page-0"]);
  await expect
    .poll(() => ({ there: seen.has("after-restart"), gone: !seen.has("page-0"), troubles }), { timeout: 30_000 })
    .toMatchObject({ there: true, gone: true });
  stop.abort();
  await loop;

  const watch = async () => {
    for await (const line of await connection.lines({
      verb: "watch",
      resource: "taskruns",
      path,
      query: { watch: 1, resourceVersion: 1 },
      signal,
    }))
      return JSON.parse(line);
  };
  expect(await watch()).toMatchObject({ type: "ERROR", object: { code: 410 } });
});

async function compact(): Promise<void> {
  const post = async (what: string, body: object) =>
    (await (await fetch(`${etcd.url}/v3/${what}`, { method: "POST", body: JSON.stringify(body) })).json()) as {
      header: { revision: string };
    };
  const { header } = await post("kv/range", { key: Buffer.from("x").toString("base64") });
  await post("kv/compaction", { revision: header.revision, physical: true });
  await sleep(100);
}
