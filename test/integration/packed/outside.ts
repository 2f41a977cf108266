import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, tool } from "./commands.ts";
import { manifestIn, published } from "./tarballs.ts";

export const examples = ["embed-one-signer", "write-a-storage-backend"] as const;

/** Every name that can be imported: "@countersign/testing", "@countersign/testing/conformance". */
export const doors: readonly string[] = published.flatMap(({ name, manifest }) =>
  Object.keys(manifest.exports).map((door) => name + door.slice(1)),
);

/**
 * The examples, and a program that imports everything, each a project of its own in a folder outside of this workspace. The names of
 * our packages lead to the tarballs, those of others to what the lockfile brought here: no registry is asked, and still every package
 * sees only what it declares.
 */
export async function settleOutside(at: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  for (const example of examples) plant(example, at);
  plantEverything(join(at, "everything"));
  writeJson(join(at, "package.json"), { name: "outside", private: true });
  const overrides = Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]));
  writeJson(join(at, "pnpm-workspace.yaml"), { packages: [...examples, "everything"], overrides: { ...foreign(), ...overrides } });
  await tool("pnpm", ["install", "--offline", "--no-frozen-lockfile", "--ignore-scripts", "--reporter=append-only"], at);
}

function foreign(): Record<string, string> {
  const wanted = published.flatMap(({ folder, manifest: { dependencies = {} } }) =>
    Object.entries(dependencies).map((one) => [folder, ...one]),
  );
  const others = [...wanted, [".", "@types/node", nodeTypes()["@types/node"]]].filter(
    ([, , version]) => !version?.startsWith("workspace:"),
  );
  return Object.fromEntries(
    others.map(([folder = "", name = "", version]) => [
      `${name}@${version}`,
      `link:${realpathSync(join(root, folder, "node_modules", name))}`,
    ]),
  );
}

const strict = {
  target: "es2024",
  module: "nodenext",
  lib: ["es2024"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  noEmit: true,
};

/** The example as it would be after publishing: no workspace to point at. */
function plant(example: string, at: string): void {
  const from = join(root, "examples", example);
  const made = /[\\/](node_modules|signing-secrets|shelf)$/;
  cpSync(from, join(at, example), { recursive: true, filter: (path) => !made.test(path) });
  const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8").replaceAll("workspace:^", versions()));
  writeJson(join(at, example, "package.json"), { ...manifest, devDependencies: { ...manifest.devDependencies, ...nodeTypes() } });
  writeJson(join(at, example, "tsconfig.json"), { compilerOptions: { ...strict, skipLibCheck: true } });
}

/** Here the declarations themselves are checked, ours and those of everything they mention. */
function plantEverything(at: string): void {
  mkdirSync(at);
  const dependencies = Object.fromEntries(published.map(({ name }) => [name, versions()]));
  writeJson(join(at, "package.json"), { name: "everything", private: true, type: "module", dependencies, devDependencies: nodeTypes() });
  writeJson(join(at, "tsconfig.json"), { compilerOptions: strict });
  const imports = doors.map((door, n) => `import * as door${n} from ${JSON.stringify(door)};`);
  const all = doors.map((_, n) => `door${n}`).join(", ");
  writeFileSync(join(at, "main.ts"), `${imports.join("\n")}\nconsole.log([${all}].length);\n`);
}

const versions = (): string => `^${manifestIn(join(root, "packages/core")).version}`;

function nodeTypes(): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { "@types/node": devDependencies["@types/node"] };
}

const writeJson = (file: string, value: unknown): void => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
