import { expect, test } from "vitest";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { KubeError, statusOf } from "./kube-error.ts";
import { listWatch } from "./list-watch.ts";

interface Item {
  readonly name: string;
  readonly at: string;
}
const object = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion }, ballast: "x" });
const page = (items: readonly object[], resourceVersion: string, next = "") =>
  JSON.stringify({ metadata: { resourceVersion, continue: next }, items });
const frame = (type: string, body: object) => JSON.stringify({ type, object: body });
const expired = () => new KubeError("gone", statusOf(410, { reason: "Expired" }));

/** A cluster that answers each request from a script, in order; when the script is over, it aborts the loop. */
function scripted(answers: readonly ((request: KubeRequest) => string | readonly string[] | Error)[]) {
  const stop = new AbortController();
  const asked: Record<string, unknown>[] = [];
  let at = 0;
  const next = (request: KubeRequest): string | readonly string[] => {
    asked.push({ verb: request.verb, ...request.query });
    const answer = answers[at++];
    if (!answer) {
      stop.abort();
      throw new Error("over");
    }
    const value = answer(request);
    if (value instanceof Error) throw value;
    return value;
  };
  const connection: KubeConnection = {
    server: "https://cluster",
    namespace: "default",
    request: async (request) => next(request) as string,
    lines: async (request) => {
      const lines = next(request) as readonly string[];
      return (async function* () {
        yield* lines;
      })();
    },
    close: async () => undefined,
  };
  const told: string[] = [];
  const done = listWatch<Item>(
    {
      connection,
      resource: "taskruns",
      path: "/apis/tekton.dev/v1/taskruns",
      firstPage: 2,
      random: () => 0,
      project: (value) => ({
        name: (value as ReturnType<typeof object>).metadata.name,
        at: (value as ReturnType<typeof object>).metadata.resourceVersion,
      }),
      keyOf: ({ name }) => name,
      listener: {
        seen: ({ name, at: version }) => told.push(`+${name}@${version}`),
        gone: ({ name }) => told.push(`-${name}`),
        listed: (keys) => told.push(`listed ${[...keys].join(",")}`),
        trouble: (error) => (error as Error).message !== "over" && told.push(`trouble ${(error as Error).message}`),
      },
    },
    { signal: stop.signal },
  );
  return { done, told, asked };
}

test("pages, then a watch from the list's version with bookmarks", async () => {
  const { done, told, asked } = scripted([
    () => page([object("a", "1"), object("b", "2")], "9", "next"),
    () => page([object("c", "3")], "9"),
    () => [
      frame("MODIFIED", object("a", "10")),
      frame("BOOKMARK", { metadata: { resourceVersion: "20" } }),
      frame("DELETED", object("b", "21")),
    ],
  ]);
  await done;
  expect(told).toEqual(["+a@1", "+b@2", "+c@3", "listed a,b,c", "+a@10", "-b"]);
  expect(asked[0]).toEqual({ verb: "list", limit: 2, continue: undefined });
  expect(asked[1]).toMatchObject({ continue: "next" });
  expect(asked[2]).toMatchObject({ verb: "watch", resourceVersion: "9", allowWatchBookmarks: true, timeoutSeconds: 300 });
  expect(asked[3]).toMatchObject({ verb: "watch", resourceVersion: "21" });
});

test("410 in its three places begins a new list", async () => {
  const { done, told, asked } = scripted([
    () => page([object("a", "1")], "5", "old"),
    () => expired(), // the continuation
    () => page([object("a", "1")], "6"),
    () => expired(), // opening the watch
    () => page([object("a", "1")], "7"),
    () => [frame("ADDED", object("b", "8")), frame("ERROR", { kind: "Status", code: 410, reason: "Expired" })], // in its stream
    () => page([object("b", "8")], "9"),
  ]);
  await done;
  expect(asked.map(({ verb }) => verb)).toEqual(["list", "list", "list", "watch", "list", "watch", "list", "watch"]);
  expect(told.at(-1)).toBe("listed b");
});

test("a cut watch goes on from the last version it heard, not from the list", async () => {
  const { done, asked } = scripted([
    () => page([], "5"),
    () => {
      const cut = [frame("ADDED", object("a", "6"))];
      return cut;
    },
    () => new Error("reset"),
    () => [],
  ]);
  await done;
  expect(asked.slice(1).map(({ resourceVersion }) => resourceVersion)).toEqual(["5", "6", "6", "6"]);
});

test("an ERROR frame that is no 410 is waited out and the watch resumed", async () => {
  const { done, told, asked } = scripted([() => page([], "5"), () => [frame("ERROR", { code: 500 })], () => []]);
  await done;
  expect(told).toContain("trouble the watch on taskruns ended with 500");
  expect(asked.at(-1)).toMatchObject({ verb: "watch", resourceVersion: "5" });
});

test("later pages adapt to about 4 MB", async () => {
  const big = { metadata: { name: "big", resourceVersion: "1" }, ballast: "x".repeat(100_000) };
  const { done, asked } = scripted([() => page([big, big], "5", "next"), () => page([], "5")]);
  await done;
  expect(asked[1]?.["limit"]).toBeGreaterThan(30);
  expect(asked[1]?.["limit"]).toBeLessThan(45);
});

test("an abort ends the loop at once, even in a wait", async () => {
  const stop = new AbortController();
  const connection = { request: async () => Promise.reject(new Error("down")) } as unknown as KubeConnection;
  const listener = { seen() {}, gone() {}, listed() {} };
  const loop = listWatch(
    { connection, resource: "x", path: "/x", project: () => 1, keyOf: String, listener, random: () => 1 },
    { signal: stop.signal },
  );
  setTimeout(() => stop.abort(), 20);
  const begun = performance.now();
  await loop;
  expect(performance.now() - begun).toBeLessThan(150);
});
