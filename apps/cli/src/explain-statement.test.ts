import { parseConfig } from "@countersign/config";
import { parseRun } from "@countersign/tekton";
import { describe, expect, test } from "vitest";
import { explainRun } from "./explain-statement.ts";
import { explanationText } from "./explain-statement-text.ts";

const digest = `sha256:${"a".repeat(64)}`;

interface Broken {
  readonly what: string;
  readonly results?: object;
  readonly steps?: readonly object[];
  readonly params?: object;
  readonly taskSpec?: object;
  readonly format?: string;
  /** The name that is at fault and a piece of the sentence that says what to do. */
  readonly name: string;
  readonly why: RegExp;
  readonly fix: RegExp;
}

const named = (record: object = {}): readonly object[] => Object.entries(record).map(([name, value]) => ({ name, value }));

function explained({ results, steps, params, taskSpec, format = "slsa/v1" }: Partial<Broken>) {
  const run = parseRun(
    JSON.stringify({
      kind: "TaskRun",
      metadata: { name: "build", namespace: "ci", uid: "u" },
      spec: { params: named(params) },
      status: { results: named(results), steps, taskSpec },
    }),
  );
  return explainRun(run, parseConfig({ "artifacts.taskrun.format": format }).config);
}

// prettier to read as a table: each is a Task that somebody has really written
const broken: readonly Broken[] = [
  {
    what: "half a pair",
    results: { IMAGE_URL: "gcr.io/a/b" },
    name: "IMAGE_URL",
    why: /IMAGE_DIGEST is missing/,
    fix: /add a result IMAGE_DIGEST/,
  },
  {
    what: "separators that differ",
    results: { "app-IMAGE_URL": "gcr.io/a/b", app_IMAGE_DIGEST: digest },
    name: "app-IMAGE_URL",
    why: /no pair/,
    fix: /rename app_IMAGE_DIGEST to app-IMAGE_DIGEST/,
  },
  {
    what: "a bare hex digest",
    results: { IMAGE_URL: "gcr.io/a/b", IMAGE_DIGEST: "a".repeat(64) },
    name: "IMAGE_URL",
    why: /must start with "sha256:"/,
    fix: /sha256: with 64/,
  },
  {
    what: "a URL that is no image",
    results: { IMAGE_URL: "https://gcr.io/a/b", IMAGE_DIGEST: digest },
    name: "IMAGE_URL",
    why: /"https:" is taken for/,
    fix: /drop the scheme/,
  },
  {
    what: "a repository in capitals",
    results: { IMAGES: `gcr.io/a/B@${digest}` },
    name: "IMAGES",
    why: /"a\/B" is no repository/,
    fix: /name@sha256/,
  },
  {
    what: "a list where a string belongs",
    results: { IMAGES: [`gcr.io/a/b@${digest}`] },
    name: "IMAGES",
    why: /no string/,
    fix: /one string, separated by commas/,
  },
  {
    what: "an output with url for uri",
    results: { "x-ARTIFACT_OUTPUTS": { url: "a", digest } },
    name: "x-ARTIFACT_OUTPUTS",
    why: /no uri/,
    fix: /it is called url now/,
  },
  {
    what: "an output without its mark",
    format: "slsa/v2alpha4",
    results: { "x-ARTIFACT_OUTPUTS": { uri: "a", digest, isBuildArtifact: "True" } },
    name: "x-ARTIFACT_OUTPUTS",
    why: /"True" and not exactly "true"/,
    fix: /set isBuildArtifact/,
  },
  {
    what: "a malformed digest",
    results: { J_ARTIFACT_URI: "a", J_ARTIFACT_DIGEST: "sha1:123" },
    name: "J_ARTIFACT_URI",
    why: /sha1 needs 40 hex digits, found 3/,
    fix: /J_ARTIFACT_DIGEST/,
  },
  { what: "a misspelt hint", results: { image_url: "gcr.io/a/b" }, name: "image_url", why: /letter by letter/, fix: /IMAGE_URL/ },
  {
    what: "a commit without a repository",
    results: { "CHAINS-GIT_COMMIT": "abc" },
    name: "CHAINS-GIT_COMMIT",
    why: /git\+\.git/,
    fix: /CHAINS-GIT_URL/,
  },
  {
    what: "an output among the parameters",
    params: { IMAGE_URL: "gcr.io/a/b" },
    name: "IMAGE_URL",
    why: /is a parameter/,
    fix: /declare a result/,
  },
  {
    what: "a result nobody writes",
    taskSpec: { results: [{ name: "IMAGES" }] },
    name: "IMAGES",
    why: /nothing was written/,
    fix: /results\.IMAGES\.path/,
  },
  {
    what: "a step that speaks for itself",
    steps: [{ name: "s", imageID: `x@${digest}`, results: named({ IMAGES: "a" }) }],
    name: "IMAGES",
    why: /single steps/,
    fix: /slsa\/v2alpha4/,
  },
  {
    what: "an image that was never pulled",
    steps: [{ name: "s", imageID: digest }],
    name: "s",
    why: /names no digest/,
    fix: /pull the image/,
  },
];

describe("a broken Task is told what is wrong and what to change", () => {
  test.each(broken)("$what", ({ name, why, fix, ...task }) => {
    const { nearMisses } = explained(task);
    const found = nearMisses.find((miss) => miss.names.includes(name));
    expect(found, JSON.stringify(nearMisses)).toBeDefined();
    expect(found?.why).toMatch(why);
    expect(found?.fix).toMatch(fix);
  });

  test("a Task without fault is left in peace", () => {
    const { nearMisses, subjects } = explained({ results: { IMAGE_URL: "gcr.io/a/b", IMAGE_DIGEST: digest, note: "x" } });
    expect(nearMisses).toEqual([]);
    expect(subjects).toHaveLength(1);
  });
});

test("the text names origin, fault and fix, and lets nobody move the cursor", () => {
  const text = explanationText(explained({ results: { IMAGES: `gcr.io/a/b@${digest},\u001b[2Jx` } }));
  expect(text).toContain("gcr.io/a/b sha256:");
  expect(text).toContain("from result IMAGES of TaskRun build");
  expect(text).toMatch(/fix: separate images/);
  expect(text).not.toContain("\u001b");
});
