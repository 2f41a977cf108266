import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { aTaskRun, type Registry, registry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** The job of examples/attest-in-ci, word for word: a registry that works, a run that built what lies there, and a kubectl that knows this run. */
const root = join(import.meta.dirname, "../..");
const job = mkdtempSync(join(tmpdir(), "countersign-ci-"));
const bin = join(root, "node_modules/.bin");
let images: Registry;

beforeAll(async () => {
  images = await registry();
  cpSync(join(root, "examples/attest-in-ci"), job, { recursive: true });
  const digest = images.seedImage("team/app", "1.0");
  const run = aTaskRun().named("build").withResult("IMAGE_URL", `${images.host}/team/app`).withResult("IMAGE_DIGEST", digest);
  writeFileSync(join(job, "build.json"), run.text());
  writeFileSync(join(job, "kubectl"), `#!/bin/sh\n[ "$1 $2 $4 $5" = "get taskrun -o json" ] && cat "${job}/$3.json"\n`);
  chmodSync(join(job, "kubectl"), 0o755);
  await shell("countersign keys generate ./signing-secrets --random-password");
});
afterAll(async () => {
  await images.close();
  rmSync(job, { recursive: true, force: true });
});

const shell = (script: string) =>
  promisify(execFile)("sh", ["-e", "-c", script], {
    cwd: job,
    env: {
      HOME: job,
      NO_COLOR: "1",
      RUN: "build",
      IMAGE: `${images.host}/team/app:1.0`,
      PATH: [job, bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
    },
  });

describe("the job", () => {
  const [, script = ""] = /^```sh\n([\s\S]*?)^```/m.exec(readFileSync(join(root, "examples/attest-in-ci/README.md"), "utf8")) ?? [];

  test("attests what was built, and verifies it", async () => {
    const { stdout } = await shell(script);
    expect(stdout).toContain("chains-config.yaml is accepted");
    expect(stdout).toMatch(/^accepted +https:\/\/slsa\.dev\/provenance\/v1 /m);
    expect(stdout).toMatch(/^verified +127\.0\.0\.1:\d+\/team\/app:1\.0@sha256:[0-9a-f]{64}$/m);
  });

  test("repeated, it changes nothing", async () => {
    const before = images.tags("team/app").map((tag) => images.manifest("team/app", tag)?.digest);
    await shell(script);
    expect(images.tags("team/app").map((tag) => images.manifest("team/app", tag)?.digest)).toEqual(before);
    expect(before).toHaveLength(3);
  });

  test("fails when nobody attested the image", async () => {
    images.seedImage("team/other", "1.0");
    const verify = script.split("\n").find((line) => line.startsWith("countersign verify")) ?? "";
    await expect(shell(verify.replace("$IMAGE", `${images.host}/team/other:1.0`))).rejects.toMatchObject({ code: 10 });
  });
});
