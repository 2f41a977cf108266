import { parseRun } from "@countersign/tekton";
import { expect, test } from "vitest";
import { slsaV02, slsaV02Entries } from "./slsa-v0.2.ts";

const formatter = slsaV02({ builderId: "https://tekton.dev/chains/v2", deepInspection: false, format: "in-toto" });
const digest = `sha256:${"a".repeat(64)}`;

test("the smallest TaskRun", () => {
  const payload = formatter.format(parseRun('{"kind":"TaskRun"}'));
  expect(new TextDecoder().decode(payload.body)).toBe(
    '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","predicate":{"buildConfig":{"steps":[]},' +
      '"buildType":"tekton.dev/v1/TaskRun","builder":{"id":"https://tekton.dev/chains/v2"},"invocation":{"configSource":{},"parameters":{}},' +
      '"metadata":{"completeness":{"environment":false,"materials":false,"parameters":false},"reproducible":false}}}',
  );
  expect(payload).toMatchObject({ format: "in-toto", envelope: "dsse", mediaType: "application/vnd.in-toto+json", subjects: [] });
});

test("subjects are in the payload and beside it", () => {
  const run = parseRun(JSON.stringify({ kind: "TaskRun", status: { results: [{ name: "IMAGES", value: `gcr.io/a/b@${digest}` }] } }));
  const { body, subjects } = formatter.format(run);
  expect(subjects).toEqual([{ name: "gcr.io/a/b", digest: { sha256: "a".repeat(64) } }]);
  expect(JSON.parse(new TextDecoder().decode(body)).subject).toEqual(subjects);
  expect(slsaV02Entries(run, { deepInspection: false }).subjects[0]?.origins).toEqual([
    { run: run.ref, from: "result", names: ["IMAGES"] },
  ]);
});
