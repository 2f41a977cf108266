import { child, param, pipelineOf, pipelineRun, result, Spelled, sha, step, taskRun } from "./run-text.ts";

export interface OwnCase {
  readonly name: string;
  readonly object: unknown;
  readonly taskRuns?: readonly unknown[];
  readonly config?: Readonly<Record<string, string>>;
}

const v02 = { "artifacts.taskrun.format": "slsa/v1", "artifacts.pipelinerun.format": "slsa/v1" };
const alpha3 = { "artifacts.taskrun.format": "slsa/v2alpha3", "artifacts.pipelinerun.format": "slsa/v2alpha3" };
const alpha4 = { "artifacts.taskrun.format": "slsa/v2alpha4", "artifacts.pipelinerun.format": "slsa/v2alpha4" };
const deep = { "artifacts.pipelinerun.enable-deep-inspection": "true" };
const tekton = { "builddefinition.buildtype": "https://tekton.dev/chains/v2/slsa-tekton" };

const image = [result("IMAGE_URL", "registry.example.com/team/app"), result("IMAGE_DIGEST", sha("a"))];
const git = [
  result("CHAINS-GIT_URL", "https://git.example.com/app"),
  result("CHAINS-GIT_COMMIT", "0123456789abcdef0123456789abcdef01234567"),
];
const source = { uri: "git+https://git.example.com/tasks.git", digest: { sha1: "c".repeat(40) }, entryPoint: "build.yaml" };
const remote = {
  spec: { taskRef: { resolver: "git", params: [param("url", "https://git.example.com/tasks")] } },
  status: { provenance: { refSource: source } },
};
const buildSteps = {
  steps: [step("fetch"), step("build")],
  taskSpec: {
    params: [
      { name: "IMAGE", type: "string" },
      { name: "ARGS", type: "array", default: ["-v"] },
    ],
    steps: [
      { name: "fetch", image: "git", command: ["git", "clone"], args: ["--depth=1"] },
      { name: "build", image: "kaniko", script: "#!/bin/sh\nbuild <&2 > out\n" },
    ],
  },
};
const output = (members: object): object => ({ uri: "registry.example.com/team/lib", digest: sha("b"), ...members });

const eachFormat = (name: string, object: unknown, more: Partial<OwnCase> = {}): readonly OwnCase[] =>
  Object.entries({ v02, alpha3, alpha4 }).map(([word, config]) => ({
    name: `${name}-${word}`,
    object,
    ...more,
    config: { ...config, ...more.config },
  }));

const release = pipelineRun({
  spec: { params: [param("revision", "main")] },
  status: {
    ...pipelineOf("build", { name: "test", taskRef: { name: "test" }, runAfter: ["build"] }),
    results: [result("IMAGES", `registry.example.com/team/app@${sha("a")}`), result("note", "<b>")],
    provenance: { refSource: { uri: "git+https://git.example.com/pipelines.git", digest: { sha1: "d".repeat(40) } } },
  },
});
const releaseChildren = [
  child("build", { status: { ...buildSteps, results: [...image, ...git], provenance: { refSource: source } } }),
  child("test", { status: { steps: [step("go")], taskSpec: { steps: [{ name: "go", image: "go" }] }, results: [result("log", "ok")] } }),
];

/** Runs that between them exercise every rule of docs/compatibility.md. Their payloads lie beside this file. */
export const cases: readonly OwnCase[] = [
  { name: "in-toto-word", object: taskRun({ status: { results: image } }), config: { "artifacts.taskrun.format": "in-toto" } },
  ...eachFormat("bare-task", { apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata: { uid: "u" } }),
  ...eachFormat("bare-pipeline", { apiVersion: "tekton.dev/v1", kind: "PipelineRun", metadata: { uid: "u" } }),
  ...eachFormat("build", taskRun({ ...remote, status: { ...remote.status, ...buildSteps, results: [...image, ...git] } })),
  ...eachFormat("release", release, { taskRuns: releaseChildren }),
  ...eachFormat("release-deep", release, { taskRuns: releaseChildren, config: deep }),
  ...eachFormat("git-commit-only", taskRun({ status: { results: [result("CHAINS-GIT_COMMIT", "abc\n")] } })),
  ...eachFormat(
    "git-wiped-by-list",
    taskRun({
      spec: { params: [param("CHAINS-GIT_URL", ["a"]), param("CHAINS-GIT_COMMIT", "abc")] },
      status: { taskSpec: { params: [{ name: "CHAINS-GIT_URL", default: "https://git.example.com/x" }] } },
    }),
  ),
  { name: "git-pipeline-needs-both", object: pipelineRun({ status: { results: [result("CHAINS-GIT_COMMIT", "abc")] } }), config: v02 },
  ...eachFormat(
    "structured",
    taskRun({
      status: {
        results: [
          result("plain-ARTIFACT_OUTPUTS", output({})),
          result("marked-ARTIFACT_OUTPUTS", output({ isBuildArtifact: "true" })),
          result("loud-ARTIFACT_OUTPUTS", output({ digest: `SHA256:${"c".repeat(64)}`, isBuildArtifact: "true" })),
          result("broken-ARTIFACT_OUTPUTS", output({ digest: "sha256:", isBuildArtifact: "true" })),
          result("text-ARTIFACT_OUTPUTS", "no object"),
          result("in-ARTIFACT_INPUTS", { uri: "pkg:npm/left-pad", digest: `SHA512 : ${"f".repeat(128)}` }),
          result("jar-ARTIFACT_URI", "pkg:maven/a/b"),
          result("jar-ARTIFACT_DIGEST", `sha1:${"1".repeat(40)}\n`),
        ],
      },
    }),
  ),
  {
    name: "image-names",
    object: taskRun({
      status: {
        results: [
          result(
            "IMAGES",
            [
              `ab@${sha("1")}`,
              `docker.io/foo@${sha("2")}`,
              `foo/bar:v1@${sha("3")}`,
              `oci://gcr.io/xx@${sha("4")}`,
              `[::1]:5000/xx@${sha("5")}`,
              `a@${sha("6")}`,
              `gcr.io/xX@${sha("7")}`,
              "gcr.io/xx",
            ].join(",\n"),
          ),
        ],
      },
    }),
    config: alpha4,
  },
  {
    name: "image-pairs",
    object: taskRun({
      status: {
        results: [
          result("one-IMAGE_URL", " registry.example.com/one "),
          result("one-IMAGE_DIGEST", `${sha("1")}\n`),
          result("two_IMAGE_URL", "registry.example.com/two"),
          result("half_IMAGE_URL", "registry.example.com/half"),
          result("two_IMAGE_DIGEST", sha("2")),
          ...image,
        ],
      },
    }),
    config: alpha3,
  },
  {
    name: "image-twice",
    object: taskRun({ status: { results: [...image, result("IMAGES", `registry.example.com/team/app:v2@${sha("a")}`)] } }),
    config: v02,
  },
  {
    name: "marked-is-no-image-name",
    object: taskRun({ status: { results: [result("x-ARTIFACT_OUTPUTS", { uri: "abc", digest: sha("a"), isBuildArtifact: "true" })] } }),
    config: alpha4,
  },
  ...eachFormat(
    "step-results",
    taskRun({
      status: {
        steps: [
          step("fetch", {
            results: [...git, result("in-ARTIFACT_INPUTS", { uri: "in", digest: sha("9") })],
            provenance: { refSource: source },
          }),
          step("push", { results: [result("out-ARTIFACT_OUTPUTS", output({ isBuildArtifact: "true" })), result("size", "12")] }),
          step("tag", { results: [result("size", "13")], provenance: { refSource: source } }),
        ],
      },
    }),
  ),
  ...eachFormat(
    "image-ids",
    taskRun({
      status: {
        steps: [
          step("plain"),
          step("old", { imageID: `docker-pullable://registry.example.com/old:v1@${sha("4")}` }),
          step("empty-hex", { imageID: "x@sha256:" }),
          step("never-started", { imageID: "" }),
          step("loaded", { imageID: sha("5") }),
          { name: "unknown" },
        ],
        sidecars: [{ name: "docker", imageID: `registry.example.com/dind@${sha("6")}` }],
      },
    }),
  ),
  {
    name: "steps-by-name",
    object: taskRun({
      status: {
        steps: [step("b"), step("a"), step("stranger"), { name: "unnamed-0", imageID: `x@${sha("1")}` }],
        taskSpec: {
          steps: [{ name: "a", args: [] }, { name: "b", command: ["x", "y"] }, { name: "b", script: "second" }, { image: "no name" }],
        },
      },
    }),
    config: v02,
  },
  {
    name: "steps-by-position",
    object: pipelineRun({ status: pipelineOf("build", "left-out", "uneven") }),
    taskRuns: [
      child("build", {
        status: { steps: [{ name: "x", imageID: `x@${sha("1")}` }], taskSpec: { steps: [{ name: "y", script: "taken by place" }] } },
      }),
      child("left-out", { status: { steps: [{ name: "unnamed-0", imageID: `x@${sha("1")}` }], taskSpec: { steps: [{ name: "y" }] } } }),
      child("uneven", { status: { steps: [], taskSpec: { steps: [{ name: "y" }] } } }),
    ],
    config: v02,
  },
  {
    name: "child-without-start",
    object: pipelineRun({ status: pipelineOf("build") }),
    taskRuns: [child("build", { status: { startTime: null, taskSpec: {} } })],
    config: v02,
  },
  {
    name: "child-not-finished",
    object: pipelineRun({ status: pipelineOf("build", "slow") }),
    taskRuns: [
      child("build", { status: { results: image, taskSpec: {} } }),
      child("slow", { status: { completionTime: null, results: git } }),
    ],
    config: { ...v02, ...deep },
  },
  {
    name: "task-status-of-first-condition",
    object: pipelineRun({ status: pipelineOf("build") }),
    taskRuns: [
      child("build", {
        status: {
          taskSpec: {},
          conditions: [
            { type: "Other", status: "False" },
            { type: "Succeeded", status: "True" },
          ],
        },
      }),
    ],
    config: v02,
  },
  {
    name: "after-references",
    object: pipelineRun({
      status: {
        pipelineSpec: {
          tasks: [
            { name: "a", taskSpec: { metadata: {}, steps: [{ name: "s", script: "no reference" }] } },
            {
              name: "b",
              taskRef: { name: "b" },
              params: [param("x", "$(tasks.a.results.r)"), param("o", { z: "$(tasks.z.results.r)", c: "$(tasks.c.results.r[*])" })],
              when: [{ input: "$(tasks.d.results.r.key)", operator: "in", values: ["$(tasks.e.status)"] }],
            },
          ],
          finally: [{ name: "f" }],
        },
      },
    }),
    taskRuns: ["a", "b", "f"].map((name) => child(name, { status: { taskSpec: {} } })),
    config: v02,
  },
  {
    name: "matrix",
    object: pipelineRun({
      status: pipelineOf({ name: "build", taskRef: { name: "build" }, matrix: { params: [param("os", ["linux", "windows"])] } }),
    }),
    taskRuns: [
      child("build", { name: "release-build-0", uid: "m0", status: { taskSpec: {}, results: image } }),
      child("build", { name: "release-build-1", uid: "m1", status: { taskSpec: {}, results: [result("r", ["a", "b"])] } }),
    ],
    config: { ...v02, ...deep },
  },
  {
    name: "merged-source",
    object: pipelineRun({ status: { ...pipelineOf("build"), provenance: { refSource: { uri: "s", digest: { sha1: "1" } } } } }),
    taskRuns: [child("build", { status: { taskSpec: {}, provenance: { refSource: { uri: "s", digest: { sha1: "1", sha256: "2" } } } } })],
    config: v02,
  },
  ...eachFormat(
    "param-values",
    taskRun({
      spec: {
        params: [
          param("text", '<a href="x">&\u2028\ud83e\udd8a</a>'),
          param("list", ["a", null, ""]),
          param("object", { b: "1", a: null, "10": "ten", "9": "nine" }),
          param("number", new Spelled("2.50")),
          param("big", new Spelled("9007199254740993")),
          param("true", true),
          param("mixed", new Spelled('["a", 1, {"b" : null}]')),
          param("null", null),
          { name: "absent" },
        ],
      },
    }),
  ),
  {
    name: "byproducts",
    object: taskRun({
      status: {
        results: [
          result("html", "<&>"),
          result("list", ["<", 1]),
          { name: "absent" },
          result("object", { b: "2", a: "1" }),
          result("number", new Spelled("1e2")),
        ],
      },
    }),
    config: alpha3,
  },
  ...eachFormat("times", taskRun({ status: { startTime: "2026-03-01T22:00:00.5+12:00", completionTime: "2026-03-01T10:05:00,123456Z" } })),
  ...eachFormat(
    "labels",
    taskRun({
      meta: {
        labels: { "chains.tekton.dev/reproducible": "true", "10": "a", "-": "b", é: "c", "\uffff": "d", "\u{1f98a}": "e" },
        annotations: { "chains.tekton.dev/retries": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}", mine: "yes" },
      },
    }),
    { config: tekton },
  ),
  { name: "labels-empty", object: taskRun({ meta: { labels: {}, annotations: null } }), config: { ...alpha4, ...tekton } },
  ...["git", "Cluster", "cluster", ""].map((resolver) => ({
    name: `resolver-${resolver || "empty"}`,
    object: taskRun({
      spec: { taskRef: { resolver } },
      status: { provenance: { refSource: { ...source, digest: { sha1: "1", sha256: "2", md5: "3" } } } },
    }),
    config: alpha4,
  })),
  {
    name: "resolver-empty-source",
    object: taskRun({ spec: { taskRef: { resolver: "git" } }, status: { provenance: { refSource: {} } } }),
    config: alpha3,
  },
  {
    name: "feature-flags",
    object: taskRun({
      status: {
        provenance: {
          featureFlags: { EnableAPIFields: "alpha", enableAPIFields: "beta", maxResultSize: 0, awaitSidecarReadiness: true, unknown: 1 },
        },
      },
    }),
    config: alpha3,
  },
  {
    name: "whole-children",
    object: pipelineRun({ status: pipelineOf("build", "other") }),
    taskRuns: [
      child("build", {
        meta: {
          generation: new Spelled("9007199254740993"),
          creationTimestamp: null,
          managedFields: [{ fieldsV1: new Spelled('{ "f:b" : {}, "f:a": {".":{}} }') }],
          labels: { "tekton.dev/pipelineTask": "build" },
        },
        status: { results: image },
      }),
      child("other", { status: { provenance: { refSource: source } } }),
    ],
    config: { ...alpha4, ...tekton },
  },
  {
    name: "spec-filled-in",
    object: taskRun({
      spec: {
        unknown: 1,
        retries: 0,
        timeout: "90m",
        debug: null,
        workspaces: [{ name: "w", volumeClaimTemplate: {} }],
        taskSpec: { steps: [{ image: "x", timeout: "1500ms" }], stepTemplate: {}, sidecars: [{}], params: [{ name: "p", default: [] }] },
        podTemplate: { hostNetwork: false, automountServiceAccountToken: false, securityContext: { runAsUser: 0 } },
      },
    }),
    config: alpha3,
  },
  {
    name: "quantities",
    object: taskRun({
      spec: {
        computeResources: {
          limits: Object.fromEntries(
            [
              "1000m",
              "0.5",
              "1500",
              "1024Mi",
              "1.5Gi",
              "1.1Ki",
              "1.0",
              ".5",
              "1e3",
              "+1",
              "1.",
              "0.1n",
              "-1.5",
              "0",
              "00",
              "1000000000000000000000000",
              "9999999Ei",
            ].map((quantity, i) => [`q${i}`, quantity]),
          ),
          requests: { number: new Spelled("0.50"), none: null },
        },
      },
    }),
    config: alpha4,
  },
  {
    name: "custom-task-spec",
    object: pipelineRun({
      spec: {
        pipelineSpec: {
          tasks: [
            {
              name: "c",
              taskSpec: {
                apiVersion: "example.com/v1",
                kind: "Custom",
                spec: new Spelled('{"z":1.50,"10":{"y":null},"9":[9007199254740993]}'),
              },
            },
          ],
        },
      },
    }),
    config: alpha4,
  },
  { name: "taskrun-disabled", object: taskRun({ status: { results: image } }), config: { "artifacts.taskrun.signer": "none" } },
  { name: "oci-disabled", object: taskRun({ status: { results: image } }), config: { "artifacts.oci.storage": "" } },
  { name: "builder", object: taskRun({}), config: { ...alpha3, "builder.id": "" } },
  {
    name: "failed-run",
    object: taskRun({ status: { conditions: [{ type: "Succeeded", status: "False" }], results: image } }),
    config: v02,
  },
  {
    name: "half-surrogates",
    object: taskRun({
      meta: { labels: { l: new Spelled('"\\ud800x"') } },
      spec: { params: [param("p", new Spelled('"\\udc00"')), param("raw", new Spelled('["\\ud83d",1]'))] },
    }),
    config: v02,
  },
  {
    name: "v1beta1-task",
    object: {
      apiVersion: "tekton.dev/v1beta1",
      kind: "TaskRun",
      metadata: { uid: "u" },
      spec: {
        stepOverrides: [{ name: "s", resources: { limits: { cpu: 1 } } }],
        taskSpec: { params: [{ name: "p" }], steps: [{ name: "s", resources: {} }] },
      },
      status: { taskResults: image },
    },
    config: alpha4,
  },
  {
    name: "v1beta1-pipeline",
    object: {
      apiVersion: "tekton.dev/v1beta1",
      kind: "PipelineRun",
      metadata: { uid: "u" },
      spec: { serviceAccountName: "sa", timeout: "1h", taskRunSpecs: [{ pipelineTaskName: "t", taskServiceAccountName: "x" }] },
      status: { pipelineResults: image },
    },
    config: alpha3,
  },
];
