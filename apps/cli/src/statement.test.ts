import { CountersignError } from "@countersign/core";
import { describe, expect, test } from "vitest";
import { explanations, statementCommand, statements } from "./statement.ts";
import { batchAnswer, linesOf } from "./statement-batch.ts";
import type { Terminal } from "./terminal.ts";

const digest = `sha256:${"a".repeat(64)}`;
const childRun = (name: string): string =>
  JSON.stringify({
    kind: "TaskRun",
    metadata: { name, uid: name, labels: { "tekton.dev/pipelineTask": "build" } },
    status: { completionTime: "2026-01-01T00:00:00Z", taskSpec: {}, results: [{ name: "IMAGES", value: `gcr.io/a/${name}@${digest}` }] },
  });
const files: Readonly<Record<string, string>> = {
  "task.json": '{"kind":"TaskRun","metadata":{"uid":"u"},"spec":{"params":[{"name":"p","value":2.50}]}}',
  "task.yaml": `kind: TaskRun\nmetadata: {uid: y}\nstatus:\n  results:\n  - {name: IMAGES, value: "gcr.io/a/b@${digest}"}\n---\nkind: TaskRun\nmetadata: {uid: z}\n`,
  "list.json": '{"kind":"List","items":[{"kind":"TaskRun","metadata":{"uid":"1"}},{"kind":"TaskRun","metadata":{"uid":"2"}}]}',
  "tasks.json": '{"kind":"TaskRunList","items":[{"metadata":{"uid":"3"}}]}',
  "pipeline.json": JSON.stringify({
    kind: "PipelineRun",
    metadata: { name: "p" },
    status: { pipelineSpec: { tasks: [{ name: "build" }] }, childReferences: [{ name: "a1" }, { name: "b1" }] },
  }),
  "b1.json": childRun("b1"),
  "a1.json": childRun("a1"),
  "config.yaml": 'kind: ConfigMap\ndata: {artifacts.taskrun.format: slsa/v2alpha4, builder.id: "https://b"}\n',
  "map.yaml": "artifacts.oci.signer: none\n",
  "broken.yaml": "a: [",
  "config-list.yaml": "- a\n",
};
const read = async (path: string): Promise<string> => {
  const text = files[path];
  if (text === undefined) throw new CountersignError("read.no-file", path, { retry: "never" });
  return text;
};
const uids = (lines: readonly string[]): unknown => lines.map((line) => JSON.parse(line).predicate.runDetails.metadata.invocationId);
const alpha3 = { set: ["artifacts.taskrun.format=slsa/v2alpha3", "artifacts.pipelinerun.format=slsa/v2alpha3", "artifacts.oci.storage="] };

describe("statement", () => {
  test("prints the payload of a JSON file without touching the spelling of its numbers", async () => {
    const [line] = await statements({ files: ["task.json"] }, read);
    expect(JSON.parse(line ?? "").predicate.invocation.parameters).toEqual({ p: "2.50" });
  });

  test("reads YAML, several documents and lists of kubectl", async () => {
    expect(uids(await statements({ files: ["task.yaml", "list.json", "tasks.json"], ...alpha3 }, read))).toEqual(["y", "z", "1", "2", "3"]);
  });

  test("prints the payloads of images after that of the TaskRun", async () => {
    const lines = await statements({ files: ["task.yaml"] }, read);
    expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual(["_type", "critical", "_type"]);
  });

  test("takes ConfigMaps, plain maps, and settings that are stronger", async () => {
    const [line] = await statements({ files: ["task.json"], config: "config.yaml", set: ["builder.id=c"] }, read);
    expect(JSON.parse(line ?? "").predicate.runDetails.builder).toEqual({ id: "c" });
    expect(await statements({ files: ["task.yaml"], config: "map.yaml" }, read)).toHaveLength(2);
  });

  test("attaches children in the order of childReferences", async () => {
    const input = {
      files: ["pipeline.json"],
      children: ["b1.json", "a1.json"],
      set: ["artifacts.pipelinerun.enable-deep-inspection=true"],
    };
    const [line] = await statements(input, read);
    expect(JSON.parse(line ?? "").subject.map(({ name }: { name: string }) => name)).toEqual(["gcr.io/a/a1", "gcr.io/a/b1"]);
    const [text] = await explanations(input, read);
    expect(text).toContain("from result IMAGES of TaskRun b1");
  });

  test.each([
    [{ files: ["broken.yaml"] }, /neither JSON nor YAML/],
    [{ files: ["none"] }, /none/],
    [{ files: ["pipeline.json"], children: ["task.json"] }, /not among the childReferences/],
    [{ files: [], set: ["builder.id"] }, /not of the form key=value/],
    [{ files: [], config: "config-list.yaml" }, /config-list.yaml holds no map/],
    [{ files: [], set: ["artifacts.taskrun.format=tekton"] }, /artifacts.taskrun.format/],
  ])("refuses %j", async (input, message) => {
    const attempt = statements(input, read);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toSatisfy(CountersignError.is);
  });

  test("answers scripts in JSON", async () => {
    const [text] = await statements({ files: ["task.yaml"] }, read, "json");
    expect(JSON.parse(text ?? "").payloads).toMatchObject([
      { artifact: "tekton.dev-v1-TaskRun-y", format: "in-toto", payload: expect.stringMatching(/^\{"_type"/) },
      { artifact: `gcr.io/a/b@${digest}`, format: "simplesigning" },
      { artifact: "tekton.dev-v1-TaskRun-z" },
    ]);
    const [explained] = await explanations({ files: ["task.yaml"] }, read, "json");
    expect(JSON.parse(explained ?? "").runs[0].subjects[0].origins[0]).toMatchObject({ from: "result", names: ["IMAGES"] });
  });

  test("is a command that speaks through the terminal it was given", async () => {
    const said: string[] = [];
    const terminal = { out: (text: string) => void said.push(text), readText: read } as Terminal;
    await statementCommand(terminal).parseAsync(["task.json"], { from: "user" });
    expect(said.join("")).toMatch(/^\{"_type".*\}\n$/);
    await expect(statementCommand(terminal).parseAsync([], { from: "user" })).rejects.toThrow(/at least one file/);
  });
});

describe("the batch protocol", () => {
  test("answers artifacts with their keys", () => {
    const object = `{"kind":"TaskRun","metadata":{"uid":"u"},"status":{"results":[{"name":"IMAGES","value":"gcr.io/a/b@${digest}"}]}}`;
    const { artifacts } = JSON.parse(batchAnswer(`{"object":${object}}`));
    expect(artifacts.map(({ type, key }: { type: string; key: string }) => [type, key])).toEqual([
      ["tekton", "taskrun-u"],
      ["oci", "aaaaaaaaaaaa"],
    ]);
  });

  test("takes the kind of an object that does not name it, and children as text", () => {
    const line = `{"kind":"PipelineRun","object":{"metadata":{"uid":"u"}},"taskRuns":[{"spec":{"params":[{"name":"a","value":1.0}]}}],"config":{}}`;
    expect(JSON.parse(batchAnswer(line)).artifacts).toMatchObject([{ type: "tekton-pipeline-run", key: "pipelinerun-u" }]);
  });

  test.each([
    "",
    "[]",
    "{",
    '{"object":{"kind":"TaskRun","spec":[]}}',
    '{"object":{"kind":"TaskRun"},"config":{"artifacts.taskrun.format":"x"}}',
    "{}",
  ])("answers %j with an error", (line) => expect(JSON.parse(batchAnswer(line)).error).toMatch(/^(read|config)\./));

  test("lines end at LF, wherever the chunks do", async () => {
    async function* chunks() {
      for (const piece of ["a\u2028", "b\nc", "\n\nd"]) yield new TextEncoder().encode(piece);
    }
    const lines: string[] = [];
    for await (const line of linesOf(chunks())) lines.push(line);
    expect(lines).toEqual(["a\u2028b", "c", "", "d"]);
  });
});
