import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** `npm start`, as a stranger runs it: everything must verify, or it must not end well. */
const story = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, ["apps/sandbox/src/main.ts", ...args], {
    cwd: `${import.meta.dirname}/../..`,
    env: { ...process.env, NO_COLOR: "1" },
  });

test("the story ends well, and says what was found, signed, stored and verified", async () => {
  const { stdout } = await story();
  expect(stdout).toMatch(/TaskRun\/build-image +signed=true\n +found +built 127\.0\.0\.1:\d+\/team\/app\n/);
  expect(stdout).toMatch(/stored +127\.0\.0\.1:\d+\/team\/app:sha256-[0-9a-f]{12}….sig/);
  expect(stdout).toContain("Everything verified: 12 of 12 checks");
});

test("for scripts: a document on stdout", async () => {
  const { stdout } = await story("--output", "json");
  const { verified, runs, checks } = JSON.parse(stdout);
  expect([verified, runs.length, checks.length]).toEqual([true, 7, 12]);
});

test("unknown flags are usage, exit 2", async () => {
  await expect(story("--nonsense")).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("npm start -- --keep") });
});
