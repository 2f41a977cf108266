import type { PipelineTask, TaskWithChildren } from "@countersign/tekton";
import { expect, test } from "vitest";
import { afterEach } from "./after.ts";

const task = (name: string, more: PipelineTask = {}, isFinally = false): TaskWithChildren => ({
  task: { name, ...more },
  isFinally,
  children: [],
  completed: [],
});
const text = (value: string) => ({ kind: "string" as const, text: value });

test("runAfter comes first, then every task whose result is used, once", () => {
  const params = [
    { name: "p", value: text("$(tasks.a.results.x) $(tasks.b.results.y[*]) $(tasks.c.results.z.key)") },
    { name: "q", value: { kind: "list" as const, items: ["$(tasks.a.results.x)", "$(finally.f.results.y)"] } },
  ];
  const taskSpec = {
    steps: [
      {
        script: "$(tasks.s.results.r)",
        env: [{ value: "$(tasks.e.results.r)", valueFrom: { secretKeyRef: { key: "$(tasks.k.results.r)" } } }],
      },
    ],
  };
  const when = [{ input: "$(tasks.w.results.r)", values: ["$(tasks.v.results.r)"] }];
  expect(afterEach([task("t", { runAfter: ["z", "b"], params, when, taskSpec })])).toEqual([
    ["z", "b", "a", "c", "f", "w", "v", "s", "e", "k"],
  ]);
});

test("what only looks like a reference is none", () => {
  const params = [
    "$(tasks.a.status)",
    "$(tasks.a.results.x.y.z)",
    "$(params.tasks.a.results)",
    "tasks.a.results.x",
    "$(tasks['a'].results.x)",
    "$(tasks.a.results[0])",
  ];
  expect(afterEach([task("t", { params: params.map((value) => ({ value: text(value) })) })])).toEqual([[]]);
});

test("a finally task without references waits for the last ordinary one", () => {
  expect(afterEach([task("a"), task("b"), task("f", {}, true), task("g", { runAfter: ["a"] }, true)])).toEqual([[], [], ["b"], ["a"]]);
  expect(afterEach([task("f", {}, true)])).toEqual([[]]);
});
