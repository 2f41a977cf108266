// Installs what the lockfile names, once per lockfile. Runs on any Node.js >= 20 and needs nothing but npm.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}node_modules/.countersign-setup`;
const manifests = ["packages", "packages/formatters", "packages/signers", "packages/storage", "apps", "examples"].flatMap(packagesIn);
const inputs = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.mjs", ...manifests.sort()];
const wanted = createHash("sha256")
  .update(inputs.map((file) => readFileSync(root + file)).join("\0"))
  .digest("hex");

if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) process.exit(0);
console.error("Setting up: installing the packages that pnpm-lock.yaml names (once; later calls need no network) …");
const pnpm = JSON.parse(readFileSync(`${root}package.json`, "utf8")).packageManager;
const args = ["--yes", pnpm, "install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"];
const child = spawn("npx", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "1" } });
// An old host Node.js is why a newer one is installed here: its warnings about engines would bury what matters.
for (const stream of [child.stdout, child.stderr])
  createInterface({ input: stream }).on("line", (line) => line.includes("Unsupported engine") || console.error(line));
const problem = await new Promise((resolve) => {
  child.once("error", (error) => resolve(error.message));
  child.once("close", (code) => resolve(code === 0 ? undefined : `pnpm ended with ${code}`));
});
if (problem) {
  console.error(`Set-up failed: ${problem}. Is the npm registry reachable? Then run the command again.`);
  process.exit(1);
}
writeFileSync(stamp, wanted);

function packagesIn(folder) {
  if (!existsSync(root + folder)) return [];
  return readdirSync(root + folder)
    .map((name) => `${folder}/${name}/package.json`)
    .filter((file) => existsSync(root + file));
}
