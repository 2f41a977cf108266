/** `npm test`: format, lint, types, then every test that needs no foreign binary. What waits for one is named. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { closingLine, runVitest } from "./closing-line.ts";

const root = `${import.meta.dirname}/..`;
const steps = [
  ["format and lint", "biome", ["ci", "--colors=off", "."]],
  ["types", "tsc", ["-p", "tsconfig.json"]],
] as const;

const broken = steps.filter(([name, command, args]) => {
  console.log(`— ${name}`);
  return spawnSync(`${root}/node_modules/.bin/${command}`, args, { cwd: root, stdio: "inherit" }).status !== 0;
});
for (const [name] of broken) console.error(`FAILED: ${name}; npm run format mends what it can.`);

console.log("— unit and integration tests");
const tally = await runVitest(["--project", "unit", "--project", "integration", "--maxWorkers=2"]);
for (const name of tally.skippedNames) console.log(`skipped: ${name}`);
const waiting = globSync("test/real/**/*.test.ts", { cwd: root });
console.log(
  `${waiting.length} files wait for real servers (npm run parts, then npm run test:real): ${waiting.map((file) => file.slice("test/real/".length)).join(", ")}`,
);
for (const name of tally.failedNames) console.log(`FAILED: ${name}`);
const failed = tally.failed + broken.length;
console.log(closingLine({ passed: tally.passed, failed }));
process.exitCode = failed === 0 && tally.passed > 0 ? 0 : 1;
