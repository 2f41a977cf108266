import { type KubeApi, kubeApi } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Answer,
  type ApiServer,
  type Ask,
  applyTektonCrds,
  type Etcd,
  request,
  startApiServer,
  startEtcd,
  tempFolder,
  tool,
  writeKubeconfig,
} from "./harness/index.ts";

/** The same questions to packages/testing's API server and to the real one: the answers must agree in all that clients look at. */
interface Side {
  readonly ask: (path: string, ask?: Ask) => Promise<Answer>;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<{ code: number; stdout: string; stderr: string }>;
}

type Map = Readonly<Record<string, unknown>>;

let etcd: Etcd;
let real: ApiServer;
let fake: KubeApi;
let sides: readonly [Side, Side];

beforeAll(async () => {
  etcd = await startEtcd();
  real = await startApiServer({ etcd });
  console.log(`CRDs: ${await applyTektonCrds(real)}`);
  fake = await kubeApi();
  const folder = tempFolder("kubectl");
  const kubeconfig = writeKubeconfig(`${folder}/config`, { url: fake.url, namespace: "default" });
  sides = [
    {
      ask: (path, ask) => request(fake.url + path, ask),
      kubectl: (args, input) => tool("kubectl", [`--kubeconfig=${kubeconfig}`, `--cache-dir=${folder}`, ...args], { mayFail: true, input }),
    },
    { ask: real.request, kubectl: (args, input) => real.kubectl(args, { mayFail: true, input }) },
  ];
});
afterAll(async () => {
  await fake?.close();
  await real?.stop();
  await etcd?.stop();
});

const runs = "/apis/tekton.dev/v1/namespaces/default/taskruns";
const maps = "/api/v1/namespaces/default/configmaps";
const taskRun = (name: string, metadata: object = {}, more: object = {}): Map => ({
  apiVersion: "tekton.dev/v1",
  kind: "TaskRun",
  metadata: { name, ...metadata },
  spec: { taskRef: { name: "build" }, serviceAccountName: "builder" },
  ...more,
});
const configMap = (name: string, data: object, metadata: object = {}): Map => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});
const post = (body: unknown): Ask => ({ method: "POST", body });
const put = (body: unknown): Ask => ({ method: "PUT", body });
const drop = (body?: unknown): Ask => ({ method: "DELETE", body });
const patch = (type: string, body: unknown): Ask => ({
  method: "PATCH",
  body: JSON.stringify(body),
  headers: { "content-type": `application/${type}` },
});
const merge = (body: unknown): Ask => patch("merge-patch+json", body);
const apply = (body: unknown): Ask => patch("apply-patch+yaml", body);
const by = (manager: string, force = false): string => `?fieldManager=${manager}&force=${force}`;
const run = (name: string, manager?: string): string => `${runs}/${name}${manager ? `?fieldManager=${manager}` : ""}`;
const annotated = (name: string, annotations: object, more: object = {}): Map => ({
  apiVersion: "tekton.dev/v1",
  kind: "TaskRun",
  metadata: { name, annotations, ...more },
});
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What must agree: no uid, version or time has a value of its own here. */
function essence({ status, text }: Answer): unknown {
  if (!text.startsWith("{")) return { http: status, text };
  const body = JSON.parse(text) as Map;
  if (body["kind"] !== "Status") return { http: status, ...objectEssence(body) };
  const { reason, code, details } = body as {
    reason?: string;
    code?: number;
    details?: { name?: string; causes?: { field?: string }[] };
  };
  const fields = [...new Set(details?.causes?.map((cause) => cause.field))].sort();
  return { http: status, status: body["status"], reason, code, name: details?.name, fields };
}

function objectEssence(body: Map): Map {
  const { metadata, ...rest } = body as { metadata: Map };
  const present = ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"].filter((key) => metadata[key] !== undefined);
  const same = Object.fromEntries(
    ["name", "namespace", "labels", "annotations", "finalizers", "generation", "deletionGracePeriodSeconds"].map((key) => [
      key,
      metadata[key],
    ]),
  );
  const managers = ((metadata["managedFields"] ?? []) as Map[])
    .map(({ manager, operation, subresource, fieldsV1 }) => ({ manager, operation, subresource, fields: fieldsV1 }))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  return { ...rest, metadata: { ...same, present, managers } };
}

interface Frame {
  readonly type: string;
  readonly object: Map & { readonly metadata: Map };
}
const frames = (answer: Answer): readonly Frame[] =>
  answer.text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Frame);
const frameEssence = ({ type, object }: Frame): unknown =>
  type === "ERROR"
    ? { type, code: object["code"], reason: object["reason"], status: object["status"] }
    : {
        type,
        kind: object["kind"],
        name: object.metadata["name"],
        annotations: object.metadata["annotations"],
        versioned: /^\d+$/.test(`${object.metadata["resourceVersion"]}`),
      };

/** One request after the other on both sides; the essences must be equal. */
async function agree(...questions: readonly (readonly [path: string, ask?: Ask])[]): Promise<readonly unknown[]> {
  return agreeOn(async ({ ask }) => {
    const answers: unknown[] = [];
    for (const [path, how] of questions) answers.push(essence(await ask(path, how)));
    return answers;
  });
}

async function agreeOn<T>(story: (side: Side) => Promise<T>): Promise<T> {
  const ours = await story(sides[0]);
  const theirs = await story(sides[1]);
  expect(ours, "ours (received) must answer like the real server (expected)").toEqual(theirs);
  return theirs;
}

const version = async (ask: Side["ask"], path: string): Promise<string> =>
  (await ask(path)).json<{ metadata: { resourceVersion: string } }>().metadata.resourceVersion;

describe("objects", () => {
  test("create drops status, a second create is refused, get gives it back", async () => {
    const [created, again] = await agree(
      [runs, post(taskRun("one", { labels: { a: "b" } }, { status: { podName: "p" } }))],
      [runs, post(taskRun("one"))],
      [run("one")],
      [run("none")],
      ["/apis/tekton.dev/v1/namespaces/nowhere/taskruns", post(taskRun("one"))],
      ["/apis/tekton.dev/v1/namespaces/default/nothings/one"],
    );
    expect(created).toMatchObject({ http: 201 });
    expect(created).not.toHaveProperty("status");
    expect(again).toMatchObject({ http: 409, reason: "AlreadyExists" });
  });

  test("PUT wants the version it was made from, and leaves status alone", async () => {
    await agreeOn(async ({ ask }) => {
      const made = (await ask(runs, post(taskRun("put")))).json<Map & { metadata: Map }>();
      const changed = { ...made, spec: { taskRef: { name: "other" }, serviceAccountName: "builder" }, status: { podName: "p" } };
      const blind = { ...changed, metadata: { ...made.metadata, resourceVersion: undefined } };
      const stranger = { ...changed, metadata: { ...made.metadata, uid: "0a1b2c3d-0000-4000-8000-000000000001" } };
      const answers = [blind, stranger, changed, changed].map((body) => async () => essence(await ask(run("put", "putter"), put(body))));
      const result: unknown[] = [];
      for (const answer of answers) result.push(await answer());
      expect(result.map((one) => (one as { http: number }).http)).toEqual([422, 409, 200, 409]);
      return result;
    });
  });

  test("the status subresource changes status and nothing else", async () => {
    await agree(
      [runs, post(taskRun("status"))],
      [
        `${runs}/status/status?fieldManager=pipelines`,
        merge({ metadata: { labels: { x: "y" } }, spec: { taskRef: { name: "no" } }, status: { podName: "p" } }),
      ],
      [`${runs}/status?fieldManager=pipelines`, merge({ status: { podName: "q" } })],
      [run("status")],
    );
  });

  test("what changes nothing makes no new version", async () => {
    await agreeOn(async ({ ask }) => {
      await ask(runs, post(taskRun("still")));
      const versions = [await version(ask, run("still"))];
      await ask(run("still"), merge({ metadata: { annotations: { a: "1" } } }));
      versions.push(await version(ask, run("still")));
      await ask(run("still"), merge({ metadata: { annotations: { a: "1" } } }));
      versions.push(await version(ask, run("still")));
      await ask(run("still", "applier"), apply(annotated("still", { b: "1" })));
      versions.push(await version(ask, run("still")));
      await ask(run("still", "applier"), apply(annotated("still", { b: "1" })));
      versions.push(await version(ask, run("still")));
      return versions.map((one, index) => one === versions[index - 1]);
    });
  });

  test("annotations may not be larger than 256 KiB", async () => {
    const [, refused] = await agree(
      [runs, post(taskRun("large"))],
      [run("large", "x"), apply(annotated("large", { big: "x".repeat(262_142) }))],
    );
    expect(refused).toMatchObject({ http: 422, reason: "Invalid" });
  });
});

describe("patches", () => {
  test("merge patch, JSON patch, and what a custom resource does not take", async () => {
    await agree(
      [runs, post(taskRun("patched", { finalizers: ["example.com/a", "example.com/b"] }))],
      [run("patched", "m"), merge({ metadata: { annotations: { a: "1", b: "2" } } })],
      [run("patched", "m"), merge({ metadata: { annotations: { a: null } } })],
      [
        run("patched", "j"),
        patch("json-patch+json", [
          { op: "test", path: "/metadata/finalizers/0", value: "example.com/a" },
          { op: "remove", path: "/metadata/finalizers/0" },
        ]),
      ],
      [run("patched", "j"), patch("json-patch+json", [{ op: "test", path: "/metadata/finalizers/0", value: "other" }])],
      [run("patched", "j"), patch("json-patch+json", [{ op: "add", path: "/metadata/annotations/example.com~1x", value: "1" }])],
      [run("patched"), patch("strategic-merge-patch+json", { metadata: { labels: { a: "b" } } })],
      [run("patched"), merge({ metadata: { resourceVersion: "1", labels: { a: "b" } } })],
      [run("patched"), merge({ metadata: { uid: "0a1b2c3d-0000-4000-8000-000000000001", labels: { a: "b" } } })],
      [run("missing"), merge({ metadata: { labels: { a: "b" } } })],
    );
  });

  test("a ConfigMap takes all of them", async () => {
    await agree(
      [maps, post(configMap("cm", { a: "1" }))],
      [`${maps}/cm?fieldManager=s`, patch("strategic-merge-patch+json", { data: { b: "2", a: null } })],
      [`${maps}/cm?fieldManager=j`, patch("json-patch+json", [{ op: "add", path: "/data/c", value: "3" }])],
      [`${maps}/cm?fieldManager=m`, merge({ data: { d: "4" } })],
      [`${maps}/cm?fieldManager=p`, put(configMap("cm", { e: "5" }))],
    );
  });
});

describe("server-side apply", () => {
  test("creates, changes, and takes away what it no longer names", async () => {
    const [created, , shrunk] = await agree(
      [`${maps}/applied${by("one")}`, apply(configMap("applied", { a: "1", b: "2" }))],
      [`${maps}/applied${by("one")}`, apply(configMap("applied", { a: "1", b: "3" }))],
      [`${maps}/applied${by("one")}`, apply(configMap("applied", { a: "1" }))],
      [`${maps}/applied${by("two")}`, apply(configMap("applied", { c: "1" }, { labels: { x: "y" } }))],
      [`${maps}/applied`],
    );
    expect(created).toMatchObject({ http: 201 });
    expect(shrunk).toMatchObject({ data: { a: "1" } });
  });

  test("annotations and finalizers of several managers, conflict, force", async () => {
    const path = (manager: string, force = false): string => `${runs}/ssa${by(manager, force)}`;
    const answers = await agree(
      [runs, post(taskRun("ssa", { annotations: { theirs: "0" } }))],
      [path("chains"), apply(annotated("ssa", { "chains.tekton.dev/signed": "true", "chains.tekton.dev/payload": "x" }))],
      [path("chains/finalizers"), apply({ ...annotated("ssa", {}), metadata: { name: "ssa", finalizers: ["chains.tekton.dev/taskrun"] } })],
      [path("other"), apply({ ...annotated("ssa", {}), metadata: { name: "ssa", finalizers: ["example.com/other"] } })],
      [path("other"), apply(annotated("ssa", { "chains.tekton.dev/signed": "false" }))],
      [path("other"), apply(annotated("ssa", { "chains.tekton.dev/signed": "true" }))],
      [path("chains"), apply(annotated("ssa", { "chains.tekton.dev/payload": "x" }))],
      [path("chains"), apply(annotated("ssa", { "chains.tekton.dev/signed": "false" }))],
      [path("chains", true), apply(annotated("ssa", { "chains.tekton.dev/signed": "false" }))],
      [path("chains/finalizers"), apply({ ...annotated("ssa", {}), metadata: { name: "ssa", finalizers: [] } })],
      [run("ssa", "person"), merge({ metadata: { annotations: { "chains.tekton.dev/signed": null } } })],
      [run("ssa")],
    );
    expect(answers.map((one) => (one as { http: number }).http)).toEqual([201, 200, 200, 200, 409, 200, 200, 409, 200, 200, 200, 200]);
  });

  test("an apply with a uid reaches that object or none", async () => {
    const uid = "0a1b2c3d-0000-4000-8000-000000000001";
    const [, mismatch, gone] = await agree(
      [runs, post(taskRun("uid"))],
      [`${runs}/uid${by("x", true)}`, apply(annotated("uid", { a: "1" }, { uid }))],
      [`${runs}/uid-gone${by("x", true)}`, apply(annotated("uid-gone", { a: "1" }, { uid }))],
      [`${runs}/uid`, apply(annotated("uid", { a: "1" }))],
      [`${runs}/uid${by("x")}`, apply(annotated("other", { a: "1" }))],
    );
    expect(mismatch).toMatchObject({ http: 422, reason: "Invalid", fields: ["metadata.uid"] });
    expect(gone).toMatchObject({ http: 409, reason: "Conflict" });
    await agreeOn(async ({ ask }) => {
      const { metadata } = (await ask(run("uid"))).json<{ metadata: { uid: string; resourceVersion: string } }>();
      const right = await ask(
        `${runs}/uid${by("x")}`,
        apply(annotated("uid", { a: "1" }, { uid: metadata.uid, resourceVersion: metadata.resourceVersion })),
      );
      const late = await ask(
        `${runs}/uid${by("x")}`,
        apply(annotated("uid", { a: "2" }, { uid: metadata.uid, resourceVersion: metadata.resourceVersion })),
      );
      return [essence(right), essence(late)];
    });
  });

  test("a status that is applied through the wrong door changes nothing", async () => {
    await agree(
      [runs, post(taskRun("ssa-status"))],
      [`${runs}/ssa-status${by("s")}`, apply(taskRun("ssa-status", {}, { status: { podName: "p" } }))],
    );
  });
});

describe("deletion", () => {
  test("a finalizer holds the object until it goes", async () => {
    await agree(
      [runs, post(taskRun("held", { finalizers: ["chains.tekton.dev/taskrun"] }))],
      [run("held"), drop()],
      [run("held"), drop()],
      [run("held"), merge({ metadata: { finalizers: ["chains.tekton.dev/taskrun", "example.com/new"] } })],
      [run("held", "c"), patch("json-patch+json", [{ op: "remove", path: "/metadata/finalizers/0" }])],
      [run("held")],
      [run("held"), drop()],
    );
  });

  test("a plain one", async () => {
    await agree(
      [maps, post(configMap("plain", { a: "1" }))],
      [`${maps}/plain`, drop()],
      [runs, post(taskRun("plain"))],
      [run("plain"), drop()],
    );
  });
});

describe("lists", () => {
  test("selectors and pages", async () => {
    await agreeOn(async ({ ask }) => {
      for (const [name, tier] of [
        ["l1", "a"],
        ["l2", "b"],
        ["l3", "a"],
      ] as const)
        await ask(maps, post(configMap(name, {}, { labels: { tier, list: "x" } })));
      const names = async (query: string): Promise<unknown> => {
        const { kind, apiVersion, items, metadata } = (await ask(`${maps}?${query}`)).json<{
          kind: string;
          apiVersion: string;
          items: Map[];
          metadata: Map;
        }>();
        return {
          kind,
          apiVersion,
          names: items.map((item) => (item["metadata"] as Map)["name"]),
          remaining: metadata["remainingItemCount"],
          more: "continue" in metadata && metadata["continue"] !== "",
        };
      };
      const questions = [
        "labelSelector=list=x",
        "labelSelector=list=x,tier!=a",
        "labelSelector=tier+in+(a,c),list",
        "labelSelector=list=x,!tier",
        "fieldSelector=metadata.name=l2",
        "labelSelector=list=x&limit=2",
        "labelSelector=nothing",
      ];
      const answers: unknown[] = [];
      for (const question of questions) answers.push(await names(question));
      const first = (await ask(`${maps}?labelSelector=list=x&limit=2`)).json<{ metadata: { continue: string; resourceVersion: string } }>();
      await ask(maps, post(configMap("l0", {}, { labels: { list: "x" } })));
      await ask(maps, post(configMap("l4", {}, { labels: { list: "x" } })));
      const second = (await ask(`${maps}?labelSelector=list=x&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`)).json<{
        items: Map[];
        metadata: Map;
      }>();
      // A continued list is of the moment it began.
      answers.push(
        second.items.map((item) => (item["metadata"] as Map)["name"]),
        second.metadata["resourceVersion"] === first.metadata.resourceVersion,
      );
      return answers;
    });
  });
});

describe("watches", () => {
  test("from a version on: added, modified, deleted, and a bookmark before the end", async () => {
    const seen = await agreeOn(async ({ ask }) => {
      const from = await version(ask, runs);
      const watching = ask(`${runs}?watch=1&resourceVersion=${from}&allowWatchBookmarks=true&timeoutSeconds=4`);
      await sleep(500);
      await ask(runs, post(taskRun("watched", { finalizers: ["example.com/f"] })));
      await ask(run("watched", "c"), apply(annotated("watched", { a: "1" })));
      await ask(run("watched"), drop());
      await ask(run("watched"), merge({ metadata: { finalizers: null } }));
      const all = frames(await watching);
      expect(all.at(-1)?.type).toBe("BOOKMARK");
      return all.map(frameEssence).filter((_, index) => index < 4 || index === all.length - 1);
    });
    expect(seen.map((one) => (one as Frame).type)).toEqual(["ADDED", "MODIFIED", "MODIFIED", "DELETED", "BOOKMARK"]);
  });

  test("with initial events: everything, then the mark that it was everything", async () => {
    await agreeOn(async ({ ask }) => {
      const query = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&timeoutSeconds=1&labelSelector=list=x";
      const refused = await ask(`${maps}?${query}`);
      const all = frames(await ask(`${maps}?${query}&resourceVersionMatch=NotOlderThan`));
      const mark = all.findIndex((frame) => frame.type === "BOOKMARK");
      return [refused.status, all.slice(0, mark + 1).map(frameEssence)];
    });
  });

  test("without a version, and with version 0: what there is comes first", async () => {
    await agreeOn(async ({ ask }) => {
      const answers = [
        await ask(`${maps}?watch=1&timeoutSeconds=1&labelSelector=list=x`),
        await ask(`${maps}?watch=1&timeoutSeconds=1&resourceVersion=0&labelSelector=list=x`),
      ];
      return answers.map((answer) => frames(answer).map(frameEssence));
    });
  });

  test("what leaves a selector is deleted for the watcher, what enters is added", async () => {
    await agreeOn(async ({ ask }) => {
      await ask(maps, post(configMap("moving", {}, { labels: { moving: "yes" } })));
      const from = await version(ask, maps);
      const watching = ask(`${maps}?watch=1&resourceVersion=${from}&labelSelector=moving=yes&timeoutSeconds=2`);
      await sleep(500);
      await ask(`${maps}/moving`, merge({ metadata: { labels: { moving: "no" } } }));
      await ask(`${maps}/moving`, merge({ data: { a: "1" } }));
      await ask(`${maps}/moving`, merge({ metadata: { labels: { moving: "yes" } } }));
      return frames(await watching).map(frameEssence);
    });
  });

  test("a version that is too old: one ERROR frame with code 410", async () => {
    const frame = await agreeOn(async ({ ask }) => {
      const answer = await ask(`${runs}?watch=1&resourceVersion=1&timeoutSeconds=5`);
      return [answer.status, frames(answer).map(frameEssence)];
    });
    expect(frame).toEqual([200, [{ type: "ERROR", code: 410, reason: "Expired", status: "Failure" }]]);
  });
});

describe("kubectl", () => {
  const manifest = JSON.stringify(taskRun("kc", { labels: { app: "x" } }));
  const said = ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): unknown => ({
    code,
    stdout,
    stderr: code === 0 ? "" : stderr.replace(/^Error from server \((\w+)\).*$/s, "$1"),
  });

  test("applies, gets, patches, waits and deletes", async () => {
    const told = await agreeOn(async ({ kubectl, ask }) => {
      const results: unknown[] = [];
      const call = async (args: string, input?: string): Promise<void> =>
        void results.push([args, said(await kubectl(args.split(" "), input))]);
      await call("apply --server-side -f -", manifest);
      await call("apply --server-side --field-manager=other --force-conflicts -f -", manifest.replace("builder", "other"));
      await call("apply -f -", JSON.stringify(configMap("kc", { a: "1" })));
      await call("apply -f -", JSON.stringify(configMap("kc", { b: "1" })));
      await call("create -f -", manifest);
      await call("get taskrun kc -o name");
      await call("get tr kc -o jsonpath={.spec.serviceAccountName}");
      await call("get taskruns -l app=x -o custom-columns=N:.metadata.name --no-headers");
      await call("get configmap kc -o jsonpath={.data}");
      await call('patch configmap kc -p {"data":{"c":"3"}}');
      await call('patch configmap kc --type=json -p [{"op":"remove","path":"/data/c"}]');
      await call('patch taskrun kc --type=merge -p {"metadata":{"annotations":{"a":"1"}}}');
      await call("annotate taskrun kc b=2");
      await call("label taskrun kc app-");
      await call('patch taskrun kc --subresource=status --type=merge -p {"status":{"podName":"p"}}');
      const waiting = kubectl(["wait", "taskrun/kc", "--for=jsonpath={.metadata.annotations.done}=yes", "--timeout=20s"]);
      await sleep(700);
      await ask(run("kc"), merge({ metadata: { annotations: { done: "yes" } } }));
      results.push(said(await waiting));
      await call("get taskrun nothing");
      await call("delete taskrun kc");
      await call("wait taskrun/kc --for=delete --timeout=5s");
      await call(
        "apply --server-side -f -",
        JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "kc" }, data: { k: "dg==" } }),
      );
      await call("get secret kc -o jsonpath={.data.k}");
      await call("create -f -", JSON.stringify({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "kc" } }));
      await call("create -f -", JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kc" } }));
      await call("delete secret,serviceaccount,configmap kc");
      await call("api-resources --api-group=tekton.dev --no-headers -o name");
      return results.filter((one) => !JSON.stringify(one).includes("api-resources"));
    });
    const refused = told.filter((one) => Array.isArray(one) && (one[1] as { code: number }).code !== 0);
    expect(refused).toEqual([
      ["create -f -", { code: 1, stdout: "", stderr: "AlreadyExists" }],
      ["get taskrun nothing", { code: 1, stdout: "", stderr: "NotFound" }],
    ]);
  });

  test("get -w prints what happens", async () => {
    await agreeOn(async ({ kubectl, ask }) => {
      await ask(runs, post(taskRun("live")));
      const watching = kubectl(["get", "taskrun", "live", "-w", "-o", "jsonpath={.metadata.annotations.n} ", "--request-timeout=4s"]);
      await sleep(1500);
      for (const n of ["1", "2"]) await ask(run("live"), merge({ metadata: { annotations: { n } } }));
      return (await watching).stdout.trim().split(/\s+/);
    });
  });

  test("get prints names without a table from the server", async () => {
    await agreeOn(async ({ kubectl }) => {
      const { stdout } = await kubectl(["get", "configmaps", "-l", "list=x"]);
      return stdout.split("\n").map((line) => line.split(/\s+/)[0]);
    });
    const { stdout } = await sides[0].kubectl(["get", "taskruns"]);
    expect(stdout.split("\n")[0]).toMatch(/^NAME\s+AGE$/);
  });
});
