/** `npm run bench`: every figure that the documents claim. Ratios hold from machine to machine, absolute times do not. */
import { availableParallelism } from "node:os";
import { controllerBench, controllerTable } from "./controller.ts";
import { formatsBench } from "./formats.ts";
import { rekorBench, rekorLine } from "./rekor.ts";

console.log(`Node.js ${process.version}, ${availableParallelism()} cores\n`);
console.log("Reading a run and writing its statement, against JSON.parse of the same text:");
const formats = formatsBench();
for (const { what, ours, jsonParse, ratio, limit } of formats)
  console.log(`  ${what}: ${ours} µs to ${jsonParse} µs, ratio ${ratio} (at most ${limit})`);
console.log("\nA transparency log in another process (node test/bench/rekor.ts):");
const rekor = await rekorBench();
console.log(rekorLine(rekor));
console.log("\nA backlog of 500 finished TaskRuns, controller and servers on the same cores:");
console.log(controllerTable(await controllerBench()));
process.exitCode = formats.some(({ ratio, limit }) => ratio > limit) || rekor.cpu > rekor.limit ? 1 : 0;
