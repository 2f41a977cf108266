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

/** In the place of a frame: here the connection breaks. */
const cut = "(cut)";

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
        for (const line of lines) {
          if (line === cut) throw new Error("cut");
          yield line;
        }
      })();
    },
    close: async () => undefined,
  };
  const told: string[] = [];
  /** Before each request but the first: ms. */
  const waits: number[] = [];
  const done = listWatch<Item>(
    {
      async sleep(ms) {
        waits[asked.length - 1] = ms;
      },
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
  return { done, told, asked, waits };
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
    () => [frame("ADDED", object("a", "6")), cut],
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

test("an abort ends the loop, even in a wait", { timeout: 2_000 }, async () => {
  const stop = new AbortController();
  const connection = { request: async () => Promise.reject(new KubeError("busy", statusOf(429, { details: { retryAfterSeconds: 60 } }))) };
  const listener = { seen() {}, gone() {}, listed() {}, trouble: () => void setTimeout(() => stop.abort(), 20) };
  await listWatch(
    { connection: connection as unknown as KubeConnection, resource: "x", path: "/x", project: () => 1, keyOf: String, listener },
    { signal: stop.signal },
  );
});

test("a server that ends each watch at once is not asked in a tight loop; one that told something is asked at once", async () => {
  const { done, waits } = scripted([() => page([], "5"), () => [], () => [frame("ADDED", object("a", "6"))], () => [], () => []]);
  await done;
  expect([...waits]).toEqual([undefined, 160, undefined, 160, 320]);
});

test("as long as the server asks for, and the back-off begins anew after progress", async () => {
  const busy = () => new KubeError("busy", statusOf(429, { details: { retryAfterSeconds: 0.6 } }));
  const down = () => new Error("down");
  const { done, waits } = scripted([busy, down, down, () => page([], "5"), () => [frame("ADDED", object("a", "6")), cut], () => []]);
  await done;
  expect([...waits]).toEqual([600, 320, 640, undefined, 160, 320]);
});

test("an empty list, and one of huge objects", async () => {
  const huge = { metadata: { name: "huge", resourceVersion: "1" }, ballast: "x".repeat(5_000_000) };
  const { done, told, asked } = scripted([() => page([huge], "5", "next"), () => '{"metadata":{"resourceVersion":"5"},"items":null}']);
  await done;
  expect(told).toEqual(["+huge@1", "listed huge"]);
  expect(asked[1]).toMatchObject({ limit: 10 });
});

test("an abort is no trouble, and a server that asks for a year of patience gets a minute", async () => {
  const stop = new AbortController();
  const troubles: unknown[] = [];
  let asked = 0;
  const hanging = {
    request: ({ signal }: KubeRequest) =>
      new Promise((_, reject) => {
        asked++;
        if (asked === 1) reject(new KubeError("busy", statusOf(429, { details: { retryAfterSeconds: 31_536_000 } })));
        else signal.addEventListener("abort", () => reject(signal.reason));
      }),
  } as unknown as KubeConnection;
  const run = (signal: AbortSignal) => {
    const listener = { seen() {}, gone() {}, listed() {}, trouble: (error: unknown) => troubles.push(error) };
    return listWatch({ connection: hanging, resource: "x", path: "/x", project: () => 1, keyOf: String, listener }, { signal });
  };
  const patient = run(stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect([asked, troubles.length]).toEqual([1, 1]);
  stop.abort();
  await patient;
  const second = new AbortController();
  const aborted = run(second.signal);
  setTimeout(() => second.abort(), 20);
  await aborted;
  expect([asked, troubles.length]).toEqual([2, 1]);
});
