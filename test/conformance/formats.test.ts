import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { corpus } from "./formats-corpus.ts";

describe("payloads recorded from Tekton Chains", () => {
  test.skipIf(!corpus.isThere)(corpus.isThere ? "are reproduced byte for byte, all groups" : corpus.absent, () => {
    const batch = [process.execPath, join(import.meta.dirname, "../../apps/cli/src/bin.ts"), "statement", "--batch"];
    const options = ["--skip", "s", "--lenient-errors", "--show", "3"];
    const { stdout } = spawnSync(process.execPath, [corpus.compare, corpus.path, ...options, "--", ...batch], { encoding: "utf8" });
    const [, identical, all] = /(\d+)\/(\d+) identical\n$/.exec(stdout) ?? [];
    expect(identical, stdout).toBe(all);
    expect(Number(all)).toBeGreaterThan(1000);
  });
});
