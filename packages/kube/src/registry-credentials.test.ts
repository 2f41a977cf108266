import { expect, test } from "vitest";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { KubeError, statusOf } from "./kube-error.ts";
import { registrySecrets } from "./registry-credentials.ts";

const call = { signal: new AbortController().signal };
const base64 = (text: string) => Buffer.from(text).toString("base64");
const docker = (text: string) => ({ type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64(text) } });

/** Objects by the end of their path, "secrets/push". */
function cluster(
  objects: Readonly<Record<string, object | Error>>,
  options: { keepMs?: number; list?: "secrets" | "imagePullSecrets" } = {},
) {
  const asked: string[] = [];
  let now = 0;
  let gate = Promise.resolve();
  const request = async ({ path }: KubeRequest): Promise<string> => {
    const name = path.replace("/api/v1/namespaces/ci/", "");
    asked.push(name);
    await gate;
    const found = objects[name];
    if (found instanceof Error) throw found;
    if (!found) throw new KubeError("none", statusOf(404, {}));
    return JSON.stringify(found);
  };
  const secrets = registrySecrets({ connection: { request } as unknown as KubeConnection, now: () => now, ...options });
  return {
    asked,
    objects,
    secrets: (account = "builder") => secrets("ci", account, call),
    move: (ms: number) => {
      now += ms;
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

test("the Secrets in its list, by name, in order; pull secrets are nobody's business", async () => {
  const { secrets, asked } = cluster({
    "serviceaccounts/builder": { secrets: [{ name: "old" }, { name: "push" }], imagePullSecrets: [{ name: "pull" }] },
    "secrets/push": docker("{push}"),
    "secrets/old": { type: "kubernetes.io/dockercfg", data: { ".dockercfg": base64("{old}") } },
    "secrets/pull": docker("{pull}"),
  });
  expect(await secrets()).toEqual([
    { source: "secret ci/old", type: "kubernetes.io/dockercfg", text: "{old}" },
    { source: "secret ci/push", type: "kubernetes.io/dockerconfigjson", text: "{push}" },
  ]);
  expect(asked).toEqual(["serviceaccounts/builder", "secrets/old", "secrets/push"]);
});

test("the pull secrets, where these are asked for, and only these", async () => {
  const objects = {
    "serviceaccounts/builder": { secrets: [{ name: "push" }], imagePullSecrets: [{ name: "pull" }] },
    "secrets/pull": docker("{pull}"),
  };
  const { secrets, asked } = cluster(objects, { list: "imagePullSecrets" });
  expect((await secrets()).map(({ source }) => source)).toEqual(["secret ci/pull"]);
  expect(asked).toEqual(["serviceaccounts/builder", "secrets/pull"]);
});

test("what does not exist, or is of another type, or empty, is left out", async () => {
  const { secrets } = cluster({
    "serviceaccounts/builder": { secrets: [{ name: "gone" }, { name: "token" }, { name: "empty" }, { name: "bare" }, {}] },
    "secrets/token": { type: "kubernetes.io/service-account-token", data: { ".dockerconfigjson": base64("{}") } },
    "secrets/empty": { type: "kubernetes.io/dockerconfigjson", data: {} },
    "secrets/bare": { type: "kubernetes.io/dockerconfigjson" },
  });
  expect(await secrets()).toEqual([]);
  expect(await cluster({}).secrets()).toEqual([]);
});

test("no account named: the namespace's default", async () => {
  const { secrets, asked } = cluster({ "serviceaccounts/default": {} });
  await secrets("");
  expect(asked).toEqual(["serviceaccounts/default"]);
});

test.each(["..", ".", "a/b", "a?b", "%2e%2e", "A B"])("a name that cannot exist is not asked for: %s", async (name) => {
  const { secrets, asked } = cluster({ "serviceaccounts/builder": { secrets: [{ name }] } });
  expect([await secrets(name), await secrets()]).toEqual([[], []]);
  expect(asked).toEqual(["serviceaccounts/builder"]);
});

test("an answer serves for 30 s, each account its own", async () => {
  const { secrets, asked, move } = cluster({ "serviceaccounts/builder": {}, "serviceaccounts/other": {} });
  await secrets();
  await secrets("other");
  move(29_999);
  await secrets();
  expect(asked).toHaveLength(2);
  move(1);
  await secrets();
  expect(asked).toEqual(["serviceaccounts/builder", "serviceaccounts/other", "serviceaccounts/builder"]);
});

test("ten runs at once ask once", async () => {
  const { secrets, asked, hold } = cluster({ "serviceaccounts/builder": {} });
  const open = hold();
  const all = Array.from({ length: 10 }, () => secrets());
  open();
  await Promise.all(all);
  expect(asked).toHaveLength(1);
});

test("a failure is everybody's who waits, and is not kept", async () => {
  const { secrets, asked, objects } = cluster({ "serviceaccounts/builder": new KubeError("no", statusOf(403, {})) });
  for (const one of await Promise.allSettled([secrets(), secrets()])) expect(one.status).toBe("rejected");
  Object.assign(objects, { "serviceaccounts/builder": { secrets: [{ name: "push" }] }, "secrets/push": docker("{}") });
  expect(await secrets()).toHaveLength(1);
  expect(asked).toEqual(["serviceaccounts/builder", "serviceaccounts/builder", "secrets/push"]);
});

test("a late failure does not throw out what was asked for since", async () => {
  const { secrets, asked, hold, move, objects } = cluster({ "serviceaccounts/builder": {} }, { keepMs: 10 });
  const fail = hold();
  const first = secrets();
  move(10);
  const answer = hold();
  const second = secrets();
  answer();
  expect(await second).toEqual([]);
  Object.assign(objects, { "serviceaccounts/builder": new KubeError("no", statusOf(500, {})) });
  fail();
  await expect(first).rejects.toMatchObject({ code: 500 });
  await secrets();
  expect(asked).toHaveLength(2);
});

test("the thousand accounts used last are known", async () => {
  const { secrets, asked } = cluster({});
  for (let n = 0; n <= 1000; n++) await secrets(`a${n}`);
  await secrets("a1000");
  await secrets("a1");
  expect(asked).toHaveLength(1001);
  await secrets("a0");
  expect(asked).toHaveLength(1002);
});
