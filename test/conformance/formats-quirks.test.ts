import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "@countersign/config";
import { imagesOf, parseRun } from "@countersign/tekton";
import { describe, expect, test } from "vitest";
import { payloadsOf } from "../../apps/cli/src/statement-payloads.ts";
import { child, param, pipelineOf, pipelineRun, result, Spelled, sha, spelledJson, step, taskRun } from "./own-runs/run-text.ts";

// One section for each quirk of docs/compatibility.md: bytes that look like a mistake and are kept, and the few places where we differ.

type Format = "slsa/v1" | "slsa/v2alpha3" | "slsa/v2alpha4";

interface Given {
  readonly children?: readonly unknown[];
  readonly config?: Readonly<Record<string, string>>;
}

/** The statement's text and what it says. */
function statementOf(run: unknown, format: Format, { children = [], config = {} }: Given = {}) {
  const { config: parsed } = parseConfig({ "artifacts.taskrun.format": format, "artifacts.pipelinerun.format": format, ...config });
  const payloads = payloadsOf(parseRun(spelledJson(run), { children: children.map(spelledJson) }), parsed);
  const payload = payloads.find(({ artifact }) => artifact.kind !== "image")?.payload;
  const text = new TextDecoder().decode(payload?.body);
  const { subject = [], predicate } = JSON.parse(text);
  return { text, subject, predicate, payload, payloads };
}

const subjects = (run: unknown, format: Format, given?: Given): unknown => statementOf(run, format, given).subject;
const predicate = (run: unknown, format: Format, given?: Given) => statementOf(run, format, given).predicate;
const deep = { config: { "artifacts.pipelinerun.enable-deep-inspection": "true" } };
const whole = { "builddefinition.buildtype": "https://tekton.dev/chains/v2/slsa-tekton" };
const image = [result("IMAGE_URL", "gcr.io/a/b"), result("IMAGE_DIGEST", sha("a"))];
const remote = (digest: object) =>
  taskRun({ spec: { taskRef: { resolver: "git" } }, status: { provenance: { refSource: { uri: "u", digest } } } });

describe("Q1 a commit without a URL is the source git+.git", () => {
  const results = [result("CHAINS-GIT_COMMIT", "abc")];
  const bogus = { uri: "git+.git", digest: { sha1: "abc" } };
  test("of TaskRuns and steps", () => {
    expect(predicate(taskRun({ status: { results } }), "slsa/v1").materials).toEqual([bogus]);
    const steps = [step("s", { imageID: "", results })];
    expect(predicate(taskRun({ status: { steps } }), "slsa/v2alpha4").buildDefinition.resolvedDependencies).toEqual([
      { ...bogus, name: "inputs/result" },
    ]);
  });
  test("but not of PipelineRuns", () => expect(predicate(pipelineRun({ status: { results } }), "slsa/v1").materials).toBeUndefined());
});

describe("Q2 a child without a start time", () => {
  test("does no harm here: startedOn is left out", () => {
    const children = [child("build", { status: { startTime: null, taskSpec: {} } })];
    const [task] = predicate(pipelineRun({ status: pipelineOf("build") }), "slsa/v1", { children }).buildConfig.tasks;
    expect(task.finishedOn).toBe("2026-03-01T10:05:00Z");
    expect("startedOn" in task).toBe(false);
  });
});

describe("Q3 an image id that names no digest", () => {
  test.each(["", sha("b"), "a@b@sha256:1", "a@sha256:1:2", "a@b"])("%j is left out, and the rest of the payload stands", (imageID) => {
    const { materials, buildConfig } = predicate(taskRun({ status: { steps: [step("good"), step("bad", { imageID })] } }), "slsa/v1");
    expect(materials).toHaveLength(1);
    expect(buildConfig.steps).toHaveLength(2);
  });
});

describe("Q4 several pairs", () => {
  test("come in the order in which the run named them first", () => {
    const results = ["b", "a", "c"].flatMap((name) => [
      result(`${name}-IMAGE_DIGEST`, sha("1")),
      result(`${name}-IMAGE_URL`, `gcr.io/x/${name}`),
    ]);
    expect(subjects(taskRun({ status: { results } }), "slsa/v1")).toMatchObject([
      { name: "gcr.io/x/b" },
      { name: "gcr.io/x/a" },
      { name: "gcr.io/x/c" },
    ]);
  });
});

describe("Q5 references in an object parameter", () => {
  test("are taken in the order of its keys", () => {
    const task = { name: "t", params: [param("o", { z: "$(tasks.z.results.r)", a: "$(tasks.a.results.r)" })] };
    const children = [child("t", { status: { taskSpec: {} } })];
    expect(predicate(pipelineRun({ status: pipelineOf(task) }), "slsa/v1", { children }).buildConfig.tasks[0].after).toEqual(["a", "z"]);
  });
});

describe("Q6 the ref of a source with several digests", () => {
  test.each([
    [{ sha1: "1", sha512: "5", sha256: "2" }, "sha256:2"],
    [{ sha1: "1", sha384: "3" }, "sha384:3"],
    [{ md5: "5", blake: "b" }, "blake:b"],
    [{}, ""],
  ])("%j is the best known one", (digest, ref) => {
    expect(predicate(remote(digest), "slsa/v2alpha3").buildDefinition.externalParameters.buildConfigSource.ref).toBe(ref);
  });
});

describe("Q7 white space", () => {
  test("there is none", () => expect(statementOf(taskRun({}), "slsa/v1").text).not.toMatch(/[,:] /));
});

describe("Q8 digests of subjects", () => {
  test("stand as they were written, while those of materials are tidied", () => {
    const digest = ` SHA256 :${"a".repeat(64)}`;
    const results = [result("x-ARTIFACT_OUTPUTS", { uri: "u", digest }), result("x-ARTIFACT_INPUTS", { uri: "u", digest })];
    const { subject, predicate: said } = statementOf(taskRun({ status: { results } }), "slsa/v1");
    expect(subject).toEqual([{ name: "u", digest: { " SHA256 ": "a".repeat(64) } }]);
    expect(said.materials).toEqual([{ uri: "u", digest: { sha256: "a".repeat(64) } }]);
  });
});

describe("Q9 line ends at the end of a value", () => {
  test("are trimmed from pairs and kept in git hints and objects", () => {
    const results = [
      result("IMAGE_URL", "gcr.io/a/b\n"),
      result("IMAGE_DIGEST", `${sha("a")}\n`),
      result("CHAINS-GIT_URL", "https://x\n"),
      result("CHAINS-GIT_COMMIT", "abc\n"),
    ];
    const { subject, predicate: said } = statementOf(taskRun({ status: { results } }), "slsa/v1");
    expect(subject).toMatchObject([{ name: "gcr.io/a/b" }]);
    expect(said.materials).toEqual([{ uri: "git+https://x\n.git", digest: { sha1: "abc\n" } }]);
  });
});

describe("Q10 reproducible", () => {
  const key = "chains.tekton.dev/reproducible";
  test("is a label and no annotation", () => {
    expect(predicate(taskRun({ meta: { labels: { [key]: "true" } } }), "slsa/v1").metadata.reproducible).toBe(true);
    expect(predicate(taskRun({ meta: { annotations: { [key]: "true" } } }), "slsa/v1").metadata.reproducible).toBe(false);
  });
});

/** What a slsa-tekton statement holds of a child. */
function embedded(one: unknown) {
  const given = { children: [one], config: whole };
  const [{ content }] = predicate(pipelineRun({ status: pipelineOf("build") }), "slsa/v2alpha3", given).buildDefinition
    .resolvedDependencies;
  return Buffer.from(content, "base64").toString();
}

describe("Q11 whole TaskRuns of slsa-tekton", () => {
  test("hold what the API server sent, book-keeping included, in the order of the Go structs", () => {
    const text = embedded(
      child("build", {
        meta: {
          annotations: { "chains.tekton.dev/signed": "true" },
          managedFields: [{ manager: "m" }],
          labels: { "tekton.dev/pipelineTask": "build" },
        },
      }),
    );
    expect(text).toMatch(/^\{"kind":"TaskRun","apiVersion":"tekton.dev\/v1","metadata":\{"name":/);
    expect(text).toContain("chains.tekton.dev/signed");
    expect(text).toContain('"managedFields":[{"manager":"m"}]');
  });
});

describe("Q12 environment.container", () => {
  test("is the name of the step", () => {
    const steps = [step("fetch", { container: "step-fetch" })];
    expect(predicate(taskRun({ status: { steps } }), "slsa/v1").buildConfig.steps[0].environment.container).toBe("fetch");
  });
});

describe("Q13 nulls that stay", () => {
  test("annotations of a step, arguments it does not have, tasks of an unknown pipeline", () => {
    expect(predicate(taskRun({ status: { steps: [step("s")] } }), "slsa/v1").buildConfig.steps[0]).toMatchObject({
      annotations: null,
      arguments: null,
    });
    expect(predicate(pipelineRun({}), "slsa/v1").buildConfig).toEqual({ tasks: null });
    expect(predicate(pipelineRun({ status: { pipelineSpec: {} } }), "slsa/v1").buildConfig).toEqual({ tasks: [] });
  });
});

describe("Q14 steps and their specs", () => {
  const status = { steps: [step("a")], taskSpec: { steps: [{ name: "b", script: "x" }] } };
  test("meet by name in a TaskRun and by position in a PipelineRun", () => {
    expect(predicate(taskRun({ status }), "slsa/v1").buildConfig.steps[0].entryPoint).toBe("");
    const { tasks } = predicate(pipelineRun({ status: pipelineOf("build") }), "slsa/v1", {
      children: [child("build", { status })],
    }).buildConfig;
    expect(tasks[0].steps[0].entryPoint).toBe("x");
  });
});

describe("Q15 serviceAccountName of a task", () => {
  test("is that of the PipelineRun", () => {
    const spec = { taskRunSpecs: [{ pipelineTaskName: "build", serviceAccountName: "other" }] };
    const given = { children: [child("build", { status: { taskSpec: {} } })] };
    expect(predicate(pipelineRun({ spec, status: pipelineOf("build") }), "slsa/v1", given).buildConfig.tasks[0].serviceAccountName).toBe(
      "deployer",
    );
  });
});

describe("Q16 status of a task", () => {
  test("is that of its first condition, whatever it is about", () => {
    const conditions = [
      { type: "Ready", status: "False" },
      { type: "Succeeded", status: "True" },
    ];
    const given = { children: [child("build", { status: { taskSpec: {}, conditions } })] };
    expect(predicate(pipelineRun({ status: pipelineOf("build") }), "slsa/v1", given).buildConfig.tasks[0].status).toBe("Failed");
  });
});

describe("Q17 a source that merges with a later material", () => {
  const refSource = (digest: object) => ({ provenance: { refSource: { uri: "u", digest } } });
  test("shows the other's digests in configSource, too, and the run that was read stays whole", () => {
    const children = [child("build", { status: refSource({ sha1: "1", sha256: "2" }) })];
    const object = pipelineRun({ status: { ...pipelineOf("build"), ...refSource({ sha1: "1" }) } });
    const run = parseRun(spelledJson(object), { children: children.map(spelledJson) });
    const { config } = parseConfig({ "artifacts.pipelinerun.format": "slsa/v1" });
    const said = payloadsOf(run, config).map(({ payload }) => JSON.parse(new TextDecoder().decode(payload.body)).predicate)[0];
    expect(said.invocation.configSource.digest).toEqual({ sha1: "1", sha256: "2" });
    expect([...(run.refSource?.digest ?? [])]).toEqual([["sha1", "1"]]);
  });
});

describe("Q18 image names with a scheme", () => {
  test("are taken as they are", () => {
    const results = [result("IMAGES", `oci://gcr.io/a/b@${sha("a")}`)];
    expect(subjects(taskRun({ status: { results } }), "slsa/v1")).toMatchObject([{ name: "oci://gcr.io/a/b" }]);
  });
});

describe("Q19 marked artifacts", () => {
  test("are images as well, even where their name is none", () => {
    const results = [result("x-ARTIFACT_OUTPUTS", { uri: "abc", digest: sha("a"), isBuildArtifact: "true" })];
    const { subject, payloads } = statementOf(taskRun({ status: { results } }), "slsa/v2alpha4");
    expect(subject).toMatchObject([{ name: "abc" }, { name: "index.docker.io/library/abc" }]);
    expect(payloads.map(({ artifact }) => artifact.kind)).toEqual(["taskrun", "image"]);
  });
});

describe("Q20 subjects that are no images", () => {
  test("stay in the statement; the storage backend has them all before it, and the digest says which ones it can place", () => {
    const results = [...image, result("J_ARTIFACT_URI", "pkg:maven/a/b"), result("J_ARTIFACT_DIGEST", `sha1:${"1".repeat(40)}`)];
    expect(statementOf(taskRun({ status: { results } }), "slsa/v1").payload?.subjects).toEqual([
      { name: "gcr.io/a/b", digest: { sha256: "a".repeat(64) } },
      { name: "pkg:maven/a/b", digest: { sha1: "1".repeat(40) } },
    ]);
  });
});

describe("Q21 children that are no TaskRuns", () => {
  test("are told apart by their kind, so that the controller need not wait for them", () => {
    const status = {
      childReferences: [
        { kind: "CustomRun", name: "c" },
        { kind: "TaskRun", name: "t" },
      ],
    };
    const run = parseRun(spelledJson(pipelineRun({ status })));
    expect(run).toMatchObject({
      childReferences: [
        { kind: "CustomRun", name: "c" },
        { kind: "TaskRun", name: "t" },
      ],
    });
  });
});

describe("Q22 resolvers", () => {
  test.each([
    ["Cluster", false],
    ["cluster", true],
    ["git", true],
    ["", false],
  ])("%j is remote: %s", (resolver, isRemote) => {
    expect(parseRun(spelledJson(taskRun({ spec: { taskRef: { resolver } } }))).isRemote).toBe(isRemote);
  });
});

describe("Q23 the short key of an image", () => {
  test("leaves out the repository, so one digest in two repositories has one key", () => {
    const results = [result("IMAGES", `gcr.io/a/b@${sha("a")},gcr.io/a/c@${sha("a")}`)];
    const keys = imagesOf(parseRun(spelledJson(taskRun({ status: { results } })))).map(({ artifact }) => artifact.shortKey);
    expect(keys).toEqual(["aaaaaaaaaaaa", "aaaaaaaaaaaa"]);
  });
});

describe("Q24 images and the run's own statement", () => {
  test("are payloads of their own, so that one can fail without the other", () => {
    const run = taskRun({ status: { results: image } });
    const disabled = { config: { "artifacts.taskrun.signer": "none" } };
    expect(statementOf(run, "slsa/v1").payloads.map(({ artifact }) => artifact.kind)).toEqual(["taskrun", "image"]);
    const { config } = parseConfig(disabled.config);
    expect(payloadsOf(parseRun(spelledJson(run)), config).map(({ artifact }) => artifact.kind)).toEqual(["image"]);
  });
});

describe("Q25 useless outputs of slsa/v2alpha4", () => {
  test("are neither subjects nor by-products", () => {
    const results = [
      result("IMAGES", "rubbish"),
      result("x-ARTIFACT_OUTPUTS", "text"),
      result("y-ARTIFACT_OUTPUTS", { uri: "u", digest: "sha256:", isBuildArtifact: "true" }),
      result("note", "kept"),
    ];
    const { subject, predicate: said } = statementOf(taskRun({ status: { results } }), "slsa/v2alpha4");
    expect(subject).toEqual([]);
    expect(said.runDetails.byproducts).toMatchObject([{ name: "taskRunResults/build/note" }]);
  });
});

describe("Q26 results of steps", () => {
  test("of one name in two steps are by-products of one name", () => {
    const steps = ["a", "b"].map((name) => step(name, { results: [result("size", name)] }));
    const { byproducts } = predicate(taskRun({ status: { steps } }), "slsa/v2alpha4").runDetails;
    expect(byproducts.map(({ name }: { name: string }) => name)).toEqual(["stepResults/build/size", "stepResults/build/size"]);
  });
});

describe("Q27 feature flags in capitals", () => {
  test("are unknown fields", () => {
    const status = { provenance: { featureFlags: { EnableAPIFields: "alpha" } } };
    expect(predicate(taskRun({ status }), "slsa/v2alpha3").buildDefinition.internalParameters).toEqual({
      "tekton-pipelines-feature-flags": {},
    });
  });
});

describe("Q28 a parameter or result without a value", () => {
  test("has the empty string here", () => {
    const run = taskRun({ spec: { params: [{ name: "p" }] }, status: { results: [{ name: "r" }] } });
    expect(predicate(run, "slsa/v1").invocation.parameters).toEqual({ p: "" });
    expect(predicate(run, "slsa/v2alpha3").runDetails.byproducts).toMatchObject([{ content: Buffer.from('""').toString("base64") }]);
    expect(predicate(run, "slsa/v2alpha3").buildDefinition.externalParameters.runSpec.params).toEqual([{ name: "p", value: "" }]);
  });
});

describe("Q29 deep inspection", () => {
  const object = pipelineRun({ status: { ...pipelineOf("build"), results: [result("IMAGES", `gcr.io/of/pipeline@${sha("1")}`)] } });
  const children = [child("build", { status: { results: [result("IMAGES", `gcr.io/of/child@${sha("2")}`)] } })];
  test.each([
    ["slsa/v1", ["gcr.io/of/child", "gcr.io/of/pipeline"]],
    ["slsa/v2alpha3", ["gcr.io/of/child", "gcr.io/of/pipeline"]],
    ["slsa/v2alpha4", ["gcr.io/of/pipeline", "gcr.io/of/child"]],
  ] as const)("of %s has its own order", (format, names) => {
    expect(subjects(object, format, { ...deep, children })).toMatchObject(names.map((name) => ({ name })));
  });
});

describe("Q30 repeated dependencies", () => {
  test("stay where they name the task or a step action", () => {
    const refSource = { uri: "git+x.git", digest: { sha1: "abc" } };
    const results = [result("CHAINS-GIT_URL", "x"), result("CHAINS-GIT_COMMIT", "abc")];
    const steps = [step("a", { provenance: { refSource } }), step("b", { provenance: { refSource } })];
    const { resolvedDependencies } = predicate(
      taskRun({ status: { results, steps, provenance: { refSource } } }),
      "slsa/v2alpha4",
    ).buildDefinition;
    const names = resolvedDependencies.map(({ name }: { name?: string }) => name);
    expect(names.filter((name?: string) => name !== undefined)).toEqual(["task", "stepAction/a", "stepAction/b"]);
    expect(
      predicate(taskRun({ status: { results, provenance: { refSource } } }), "slsa/v2alpha3").buildDefinition.resolvedDependencies,
    ).toMatchObject([{ name: "task" }, { name: "inputs/result" }]);
  });
});

describe("Q31 the algorithm of a commit", () => {
  test("is sha1, whatever the commit looks like", () => {
    const results = [result("CHAINS-GIT_URL", "x"), result("CHAINS-GIT_COMMIT", "f".repeat(64))];
    expect(predicate(taskRun({ status: { results } }), "slsa/v1").materials).toEqual([
      { uri: "git+x.git", digest: { sha1: "f".repeat(64) } },
    ]);
  });
});

describe("Q32 parameters of another type", () => {
  test("are their own JSON text, as it was sent", () => {
    const params = [
      param("a", new Spelled("2.50")),
      param("b", new Spelled('["\\u003c", 1 ]')),
      param("c", new Spelled("9007199254740993")),
    ];
    expect(predicate(taskRun({ spec: { params } }), "slsa/v1").invocation.parameters).toEqual({
      a: "2.50",
      b: '["\\u003c", 1 ]',
      c: "9007199254740993",
    });
  });
});

describe("Q33 completeness", () => {
  test("is never claimed", () => {
    expect(predicate(taskRun({}), "slsa/v1").metadata.completeness).toEqual({ environment: false, materials: false, parameters: false });
  });
});

describe("Q34 a condition without a status", () => {
  test("counts as done", () => expect(parseRun(spelledJson(taskRun({ status: { conditions: [{ type: "Succeeded" }] } }))).done).toBe(true));
});

describe("Q35 failed runs", () => {
  test("have subjects like successful ones", () => {
    const status = { results: image, conditions: [{ type: "Succeeded", status: "False" }] };
    expect(subjects(taskRun({ status }), "slsa/v1")).toMatchObject([{ name: "gcr.io/a/b" }]);
  });
});

describe("the list of quirks", () => {
  const numbers = Array.from({ length: 35 }, (_, i) => i + 1);
  const numbersIn = (path: string, pattern: RegExp): readonly number[] =>
    [...readFileSync(join(import.meta.dirname, path), "utf8").matchAll(pattern)].map(([, number]) => Number(number));
  test("has a section here for every number", () =>
    expect(numbersIn("formats-quirks.test.ts", /^describe\("Q(\d+) \S/gm)).toEqual(numbers));
  test("has a row in docs/compatibility.md for every number", () =>
    expect(numbersIn("../../docs/compatibility.md", /^\| Q(\d+) \|/gm).toSorted((a, b) => a - b)).toEqual(numbers));
});
