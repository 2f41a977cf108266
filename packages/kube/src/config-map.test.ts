import { expect, test } from "vitest";
import { readConfigMap, watchConfigMap } from "./config-map.ts";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { KubeError, statusOf } from "./kube-error.ts";

const signal = new AbortController().signal;
const named = (data: unknown, resourceVersion = "1") => ({ metadata: { name: "chains-config", resourceVersion }, data });
const of = (connection: Partial<KubeConnection>) => ({
  connection: connection as KubeConnection,
  namespace: "tekton-chains",
  name: "chains-config",
});
const answering = (answer: string | Error) => {
  const asked: KubeRequest[] = [];
  const request = async (one: KubeRequest) => {
    asked.push(one);
    return answer instanceof Error ? Promise.reject(answer) : answer;
  };
  return { asked, map: of({ request }) };
};

test("the data of one ConfigMap, by name", async () => {
  const { asked, map } = answering(JSON.stringify(named({ a: "1", b: "2" })));
  expect(await readConfigMap(map, { signal })).toEqual({ a: "1", b: "2" });
  expect(asked).toMatchObject([{ verb: "get", path: "/api/v1/namespaces/tekton-chains/configmaps/chains-config" }]);
});

test.each([
  ["no data at all", undefined, {}],
  ["null", null, {}],
  ["values of other types are no values", { a: 1, b: null, c: "x", d: {} }, { c: "x" }],
  ["a string for data", "x", {}],
])("%s", async (_what, data, wanted) => {
  expect(await readConfigMap(answering(JSON.stringify(named(data))).map, { signal })).toEqual(wanted);
});

test("there is none: undefined; a refusal is thrown on", async () => {
  expect(await readConfigMap(answering(new KubeError("no", statusOf(404, {}))).map, { signal })).toBeUndefined();
  await expect(readConfigMap(answering(new KubeError("no", statusOf(403, {}))).map, { signal })).rejects.toMatchObject({ code: 403 });
});

/** Lists and watches from a script; when it is over, the loop is aborted. */
async function followed(...script: readonly (readonly object[] | Error)[]) {
  const stop = new AbortController();
  const told: unknown[] = [];
  const asked: KubeRequest[] = [];
  const next = (request: KubeRequest): readonly object[] => {
    asked.push(request);
    const step = script[asked.length - 1];
    if (step instanceof Error) throw step;
    if (!step) stop.abort();
    return step ?? [];
  };
  const map = of({
    request: async (request) => JSON.stringify({ metadata: { resourceVersion: "1" }, items: next(request) }),
    lines: async (request) => {
      const frames = next(request).map((frame) => JSON.stringify(frame));
      return (async function* () {
        yield* frames;
      })();
    },
  });
  const listener = {
    changed: (data: object) => void told.push(data),
    absent: () => void told.push("absent"),
    trouble: (error: unknown) => void told.push((error as Error).message),
  };
  await watchConfigMap(map, listener, { signal: stop.signal });
  return { told, asked };
}
const frame = (type: string, data: object, version: string) => ({ type, object: named(data, version) });

test("told once for each change of its data; a deletion and the same again are no change", async () => {
  const { told, asked } = await followed(
    [named({ b: "2", a: "1" })],
    [
      frame("MODIFIED", { a: "1", b: "2" }, "2"),
      frame("MODIFIED", { a: "1" }, "3"),
      frame("DELETED", { a: "1" }, "4"),
      frame("ADDED", { a: "1" }, "5"),
      frame("MODIFIED", {}, "6"),
    ],
  );
  expect(told).toEqual([{ a: "1", b: "2" }, { a: "1" }, {}]);
  expect(asked.map(({ path, query }) => [path, query?.["fieldSelector"]])[0]).toEqual([
    "/api/v1/namespaces/tekton-chains/configmaps",
    "metadata.name=chains-config",
  ]);
});

test("there is none yet: said, and waited for", async () => {
  const { told } = await followed([], [frame("ADDED", { a: "1" }, "2")]);
  expect(told).toEqual(["absent", { a: "1" }]);
});

test("trouble is told and gone through", async () => {
  const { told } = await followed(new Error("down"), [named({ a: "1" })]);
  expect(told).toEqual(["down", { a: "1" }]);
});
