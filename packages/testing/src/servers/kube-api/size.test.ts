import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

// Whoever wants to know what the sandbox's API server does reads it in a quarter of an hour. Before it grows, something has to go.
test("the whole server stays small", () => {
  const files = globSync("*.ts", { cwd: import.meta.dirname }).filter((file) => !file.endsWith(".test.ts"));
  const lines = files.map((file) => readFileSync(`${import.meta.dirname}/${file}`, "utf8").split("\n").length - 1);
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(600);
});
