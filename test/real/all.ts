/** `npm run test:real`: every test that needs a real server. A missing part is a failure, not a skip. */
import { closingLine, runVitest } from "../closing-line.ts";
import { missingParts } from "../parts/where.ts";

const missing = missingParts();
for (const name of missing) console.error(`FAILED: the part ${name} is missing; npm run parts fetches it, or says why it cannot.`);
const tally = await runVitest(["--project", "real", "--maxWorkers=2", ...process.argv.slice(2)]);
for (const name of tally.skippedNames) console.log(`skipped: ${name}`);
for (const name of tally.failedNames) console.log(`FAILED: ${name}`);
const failed = tally.failed + missing.length;
console.log(closingLine({ passed: tally.passed, failed }));
process.exitCode = failed === 0 && tally.passed > 0 ? 0 : 1;
