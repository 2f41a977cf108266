import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { relative } from "node:path";

export interface Tally {
  readonly passed: number;
  /** Failed tests, and files or set-ups that failed before any test of theirs ran. */
  readonly failed: number;
  readonly skipped: number;
  /** Full names, for a closing word about each. */
  readonly skippedNames: readonly string[];
  /** Of tests with their files, and of files that failed before any test of theirs ran. */
  readonly failedNames: readonly string[];
}

/** The line every gate ends with. */
export const closingLine = ({ passed, failed }: Pick<Tally, "passed" | "failed">): string => `${passed} passed, ${failed} failed`;

interface JsonReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Runs vitest with these arguments ("--project", "unit"), its output going where ours goes, and counts what came of it. */
export async function runVitest(args: readonly string[]): Promise<Tally> {
  const root = `${import.meta.dirname}/..`;
  const folder = mkdtempSync(`${tmpdir()}/countersign-vitest-`);
  const report = `${folder}/report.json`;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [`${root}/node_modules/vitest/vitest.mjs`, "run", ...reporters, ...args], {
    cwd: root,
    stdio: "inherit",
  });
  const code = await new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (status) => resolve(status ?? 255));
  });
  const tally = existsSync(report) ? tallyOf(JSON.parse(readFileSync(report, "utf8")) as JsonReport) : none;
  rmSync(folder, { recursive: true, force: true });
  // An error outside of any test fails the run though every test passed.
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1, failedNames: ["an error outside of any test"] } : tally;
}

const none: Tally = { passed: 0, failed: 0, skipped: 0, skippedNames: [], failedNames: [] };

export function tallyOf(report: JsonReport): Tally {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const count = (status: string): number => tests.filter((test) => test.status === status).length;
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failedTests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => `${fromRoot(name)}: ${fullName}`),
  );
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  return {
    passed: count("passed"),
    failed: count("failed") + brokenFiles.length,
    skipped: skipped.length,
    skippedNames: skipped.map((test) => test.fullName),
    failedNames: [...failedTests, ...brokenFiles.map(({ name }) => fromRoot(name))],
  };
}

const fromRoot = (file: string): string => relative(`${import.meta.dirname}/..`, file);
