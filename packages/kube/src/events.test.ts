import { expect, test } from "vitest";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { clusterEvents } from "./events.ts";
import { KubeError, statusOf } from "./kube-error.ts";

const run = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const;
const signal = new AbortController().signal;
const event = { run, type: "Warning", reason: "InternalError", message: "no\nway\u0007" } as const;

function told(answers: readonly (Error | string)[] = []) {
  const asked: KubeRequest[] = [];
  const connection = {
    request: async (request: KubeRequest) => {
      const answer = answers[asked.push(request) - 1];
      if (answer instanceof Error) throw answer;
      return "{}";
    },
  } as unknown as KubeConnection;
  let at = 0;
  return {
    asked,
    move: (ms: number) => {
      at += ms;
    },
    events: clusterEvents({ connection, now: () => new Date(at) }),
  };
}

test("an Event at the run, one line, no control characters", async () => {
  const { events, asked } = told();
  await events.tell(event, { signal });
  expect(asked[0]).toMatchObject({
    verb: "create",
    path: "/api/v1/namespaces/ci/events",
    body: { message: "no way ", source: { component: "taskrun-controller" }, involvedObject: { uid: "u1", kind: "TaskRun" } },
  });
});

test("the same again is quiet for a minute, then counts on the Event that stands", async () => {
  const there = new KubeError("exists", statusOf(409, { reason: "AlreadyExists" }));
  const { events, asked, move } = told(["{}", there, '{"count":1}']);
  await events.tell(event, { signal });
  await events.tell(event, { signal });
  expect(asked).toHaveLength(1);
  move(61_000);
  await events.tell(event, { signal });
  expect(asked.map(({ verb }) => verb)).toEqual(["create", "create", "patch"]);
});

test("a refusal is the caller's, a vanished Event nobody's", async () => {
  const refusal = (code: number) => new KubeError(`${code}`, statusOf(code, {}));
  await expect(told([refusal(403)]).events.tell(event, { signal })).rejects.toMatchObject({ code: 403 });
  await told([refusal(409), refusal(404)]).events.tell(event, { signal });
  await expect(told([refusal(409), refusal(500)]).events.tell(event, { signal })).rejects.toMatchObject({ code: 500 });
});

test("the count goes up with each telling; another reason, sentence or run is another Event", async () => {
  const { events, asked, move } = told();
  for (let n = 0; n < 3; n++) {
    await events.tell(event, { signal });
    move(60_000);
  }
  expect(asked.map(({ body }) => (body as { count: number }).count)).toEqual([1, 2, 3]);
  for (const other of [{ reason: "SigningFailed" }, { message: "else" }, { run: { ...run, uid: "u2" } }] as const)
    await events.tell({ ...event, ...other }, { signal });
  const names = asked.map(({ body }) => (body as { metadata: { name: string } }).metadata.name);
  expect(new Set(names).size).toBe(4);
  expect(asked).toHaveLength(6);
});

test("at most 1,000 bytes, and no half characters", async () => {
  const { events, asked } = told();
  await events.tell({ ...event, message: `x${"🎉".repeat(400)}` }, { signal });
  expect(asked).toMatchObject([{ body: { message: `x${"🎉".repeat(249)}` } }]);
});

test("a long run's Event has a name that the API server takes", async () => {
  const { events, asked } = told();
  await events.tell({ ...event, run: { ...run, name: `${"a".repeat(229)}-${"b".repeat(20)}` } }, { signal });
  const name = asked.map(({ body }) => (body as { metadata: { name: string } }).metadata.name).join();
  expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
  expect(name.length).toBeLessThanOrEqual(253);
});

test("the youngest thousand are remembered", async () => {
  const { events, asked } = told();
  for (let n = 0; n <= 1000; n++) await events.tell({ ...event, message: `${n}` }, { signal });
  await events.tell({ ...event, message: "1" }, { signal });
  expect(asked).toHaveLength(1001);
  await events.tell({ ...event, message: "0" }, { signal });
  expect(asked).toHaveLength(1002);
});
