import { CountersignError } from "@countersign/core";
import { describe, expect, test } from "vitest";
import { goJson, imagesOf, normalise, parseRun, tasksOf } from "./index.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("parseRun", () => {
  test("answers what the controller has to know", () => {
    const run = parseRun(
      JSON.stringify({
        apiVersion: "tekton.dev/v1",
        kind: "PipelineRun",
        metadata: {
          name: "r",
          namespace: "n",
          uid: "u",
          annotations: { a: "b" },
          labels: { l: "m" },
          finalizers: ["f"],
          deletionTimestamp: "2026-01-01T00:00:00Z",
        },
        spec: { taskRunTemplate: { serviceAccountName: "sa" }, managedBy: "me" },
        status: {
          conditions: [
            { type: "Other", status: "Unknown" },
            { type: "Succeeded", status: "False" },
          ],
          completionTime: "2026-01-01T00:00:00.5Z",
          childReferences: [{ kind: "TaskRun", name: "c" }],
        },
      }),
    );
    expect(run).toMatchObject({
      ref: { kind: "PipelineRun", namespace: "n", name: "r", uid: "u" },
      artifact: { kind: "pipelinerun", serviceAccount: "sa", shortKey: "pipelinerun-u", fullKey: "tekton.dev-v1-PipelineRun-u" },
      annotations: { a: "b" },
      labels: { l: "m" },
      finalizers: ["f"],
      serviceAccount: "sa",
      managedBy: "me",
      done: true,
      childReferences: [{ kind: "TaskRun", name: "c" }],
      finishedAt: new Date(1767225600500),
      deletionTimestamp: new Date("2026-01-01T00:00:00Z"),
    });
  });

  test.each([
    [undefined, false],
    [[], false],
    [[{ type: "Succeeded", status: "Unknown" }], false],
    [[{ type: "Succeeded" }], true],
    [
      [
        { type: "Succeeded", status: "True" },
        { type: "Succeeded", status: "Unknown" },
      ],
      true,
    ],
  ])("conditions %j mean done: %s", (conditions, done) => {
    expect(parseRun(JSON.stringify({ kind: "TaskRun", status: { conditions } })).done).toBe(done);
  });

  test.each([
    ["", "read.not-json", /JSON/],
    ["[]", "read.not-a-run", /no JSON object/],
    ['{"kind":"CustomRun"}', "read.not-a-run", /CustomRun/],
    ["{}", "read.not-a-run", /names no kind/],
    ['{"kind":"TaskRun","spec":{"retries":"1"}}', "read.wrong-type", /\.spec\.retries must be an integer/],
    ['{"kind":"TaskRun","spec":{"retries":1.0}}', "read.wrong-type", /without fraction/],
    ['{"kind":"TaskRun","spec":{"retries":9223372036854775808}}', "read.wrong-type", /64-bit/],
    [
      '{"kind":"TaskRun","status":{"steps":[{"terminated":{"exitCode":2147483648}}]}}',
      "read.wrong-type",
      /\.status\.steps\[0\]\.terminated\.exitCode/,
    ],
    ['{"kind":"TaskRun","metadata":{"labels":{"a/b":1}}}', "read.wrong-type", /\.metadata\.labels\["a\/b"\] must be a string/],
    ['{"kind":"TaskRun","status":{"startTime":"yesterday"}}', "read.wrong-type", /\.status\.startTime must be a time/],
    ['{"kind":"TaskRun","spec":{"timeout":"1d"}}', "read.wrong-type", /\.spec\.timeout must be a duration/],
    [
      '{"kind":"TaskRun","spec":{"computeResources":{"limits":{"cpu":"x"}}}}',
      "read.wrong-type",
      /\.spec\.computeResources\.limits\.cpu must be a quantity/,
    ],
  ])("refuses %s", (text, code, message) => {
    expect(() => parseRun(text)).toThrow(message);
    try {
      parseRun(text);
    } catch (error) {
      expect(CountersignError.is(error)).toBe(true);
      expect(error).toMatchObject({ code, retry: "never" });
    }
  });

  test("a child is refused like a run", () => {
    expect(() => parseRun('{"kind":"PipelineRun"}', { children: ['{"spec":[]}'] })).toThrow(/\.spec must be an object/);
  });

  test("odd keys are harmless", () => {
    const run = parseRun('{"kind":"TaskRun","__proto__":{"spec":1},"metadata":{"labels":{"__proto__":"x","constructor":"y"}}}');
    expect(Object.getOwnPropertyDescriptor(run.labels, "__proto__")?.value).toBe("x");
    expect(run.labels["toString"]).toBeUndefined();
    expect([...(run.labelMap ?? [])]).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  test("integers beyond 2^53 and half surrogates come through as Go reads them", () => {
    const run = parseRun('{"kind":"TaskRun","metadata":{"generation":9007199254740993,"name":"\\ud800"},"spec":{"retries":-0}}');
    expect(goJson(normalise("TaskRun", run.object))).toContain('"name":"\ufffd","generation":9007199254740993');
  });

  test("deep nesting is refused where it would have to be followed, and ignored elsewhere", () => {
    const nested = (key: string): string => `{"kind":"TaskRun","status":${`{"${key}":[`.repeat(3000)}${"]}".repeat(3000)}}`;
    expect(() => parseRun(nested("retriesStatus"))).toThrow(/levels deep/);
    expect(parseRun(nested("unknown")).done).toBe(false);
  });
});

describe("imagesOf", () => {
  const results = [{ name: "IMAGES", value: `gcr.io/a/b:v1@${digest},ab@${digest}` }];
  test("names the images of a TaskRun with their keys", () => {
    const run = parseRun(
      JSON.stringify({ kind: "TaskRun", metadata: { uid: "u" }, spec: { serviceAccountName: "sa" }, status: { results } }),
    );
    expect(
      imagesOf(run).map(({ artifact, repository }) => [repository, artifact.shortKey, artifact.fullKey, artifact.serviceAccount]),
    ).toEqual([
      ["gcr.io/a/b", "aaaaaaaaaaaa", `gcr.io/a/b@${digest}`, "sa"],
      ["index.docker.io/library/ab", "aaaaaaaaaaaa", `index.docker.io/library/ab@${digest}`, "sa"],
    ]);
  });
  test("goes through pairs, then IMAGES, then marked outputs", () => {
    const mixed = [
      { name: "x-ARTIFACT_OUTPUTS", value: { uri: "of/output", digest, isBuildArtifact: "true" } },
      { name: "IMAGES", value: `of/list@${digest}` },
      { name: "IMAGE_URL", value: "of/pair" },
      { name: "IMAGE_DIGEST", value: digest },
    ];
    const run = parseRun(JSON.stringify({ kind: "TaskRun", status: { results: mixed } }));
    expect(imagesOf(run).map(({ repository }) => repository.replace("index.docker.io/", ""))).toEqual(["of/pair", "of/list", "of/output"]);
  });
  test("finds none in a PipelineRun", () =>
    expect(imagesOf(parseRun(JSON.stringify({ kind: "PipelineRun", status: { results } })))).toEqual([]));
});

test("a child without the label of a task belongs to none, not even to one without a name", () => {
  const pipeline = JSON.stringify({ kind: "PipelineRun", status: { pipelineSpec: { tasks: [{}, { name: "a" }] } } });
  const child = (labels?: object): string => JSON.stringify({ metadata: { labels }, status: { completionTime: "2026-01-01T00:00:00Z" } });
  const run = parseRun(pipeline, {
    children: [child(), child({ "tekton.dev/pipelineTask": "a" }), child({ "tekton.dev/pipelineTask": "" })],
  });
  expect(run.kind === "PipelineRun" && tasksOf(run).map(({ completed }) => completed.length)).toEqual([1, 1]);
});
