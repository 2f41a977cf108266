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
