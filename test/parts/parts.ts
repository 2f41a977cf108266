/**
 * `npm run parts`: the real servers and tools that test/real starts, built or fetched once into the user's cache folder.
 * `npm run parts -- --check` only says what is there. Exit code 0 when nothing is missing, 1 otherwise.
 */
import { openDebian } from "./debian.ts";
import { buildWithGo } from "./go-build.ts";
import { type PartName, partNames, recipes } from "./recipes.ts";
import { findPart, missingParts, partsStore } from "./where.ts";

const reasons = new Map<PartName, string>();
const started = Date.now();
const say = (text: string): void => console.error(`parts ${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${text}`);

if (!process.argv.includes("--check")) await fetchMissing();
report();

async function fetchMissing(): Promise<void> {
  const missing = missingParts();
  if (missing.length === 0) return;
  say(`missing: ${missing.join(", ")}; they go to ${partsStore()}`);
  const goParts = missing.filter((name) => recipes[name].kind === "go");
  const debianParts = missing.filter((name) => recipes[name].kind === "debian");
  // The long build runs beside the downloads; builds run one after the other, since each uses all cores.
  await Promise.all([one(goParts, build), fromDebian(debianParts)]);
}

async function build(name: PartName): Promise<void> {
  const recipe = recipes[name];
  if (recipe.kind !== "go") return;
  say(`${name}: building from Go modules (${recipe.expect}) …`);
  const progress = setInterval(() => say(`${name}: still building …`), 20_000);
  await buildWithGo(name, recipe).finally(() => clearInterval(progress));
}

async function fromDebian(names: readonly PartName[]): Promise<void> {
  if (names.length === 0) return;
  say(`${names.join(", ")}: asking Debian sid …`);
  try {
    const debian = await openDebian();
    await one(names, async (name) => {
      const recipe = recipes[name];
      if (recipe.kind === "debian") await debian.fetch(name, recipe);
    }).finally(debian.close);
  } catch (error) {
    for (const name of names) reasons.set(name, (error as Error).message);
  }
}

async function one(names: readonly PartName[], work: (name: PartName) => Promise<void>): Promise<void> {
  for (const name of names) {
    try {
      await work(name);
      say(`${name}: there`);
    } catch (error) {
      reasons.set(name, (error as Error).message);
      say(`${name}: not to be had: ${(error as Error).message}`);
    }
  }
}

function report(): void {
  const rows = partNames.map((name) => {
    const found = findPart(name);
    return found ? [name, found.version, found.from, found.path] : [name, "missing", reasons.get(name) ?? "run npm run parts", "-"];
  });
  const titles = ["part", "version", "where from", "path"];
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  for (const row of [titles, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  const missing = missingParts();
  if (missing.length > 0) console.log(`\n${missing.length} of ${partNames.length} parts are missing: ${missing.join(", ")}`);
  process.exitCode = missing.length === 0 ? 0 : 1;
}
