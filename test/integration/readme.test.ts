import { execFile } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { parseConfig } from "@countersign/config";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** What README.md tells people to type is typed, in a copy of the examples; what it tells them to write is compiled and run. */
const root = join(import.meta.dirname, "../..");
const desk = mkdtempSync(join(tmpdir(), "countersign-readme-"));
const env = { ...process.env, NO_COLOR: "1", PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter) };
const run = (command: string, args: readonly string[], cwd = desk) => promisify(execFile)(command, args, { cwd, env });
const tool = (name: string, args: readonly string[]) => run(join(root, "node_modules/.bin", name), args);

beforeAll(() => {
  cpSync(join(root, "examples"), join(desk, "examples"), { recursive: true, filter: (path) => !path.endsWith("node_modules") });
  symlinkSync(join(root, "node_modules"), join(desk, "node_modules"));
  writeFileSync(join(desk, "package.json"), `{ "type": "module", "private": true }\n`);
});
afterAll(() => rmSync(desk, { recursive: true, force: true }));

const pages = globSync("**/*.md", { cwd: root, exclude: (name) => ["node_modules", "dist", ".git"].includes(name) }).sort();
const textOf = (page: string): string => readFileSync(join(root, page), "utf8");
const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(([, word, body = ""]) => (word === language ? [body] : []));

const readme = textOf("README.md");
const commands = blocks(readme, "sh")
  .flatMap((block) => block.split("\n"))
  .filter((line) => line.trim() !== "" && !line.startsWith("#"))
  .map((line) => {
    const [, command = "", comment = ""] = /^(.*?)(?:\s+# (.*))?$/.exec(line) ?? [];
    return { command, needsMore: /needs (a cluster|the network)/.test(comment) };
  });

test("README.md fits on a screen or two", () => {
  expect(readme.split("\n").length).toBeLessThanOrEqual(120);
});

describe("commands of README.md", () => {
  const here = commands.filter(({ needsMore }) => !needsMore);
  test.for(here.map(({ command }) => command))("%s", { timeout: 120_000 }, async (command) => {
    if (command.startsWith("export ")) return;
    expect(command).toMatch(/^(npx|npm|node) /);
    if (command === "npm start") await run(process.execPath, ["apps/sandbox/src/main.ts"], root);
    else await run("sh", ["-c", command]);
  });

  const elsewhere = commands.filter(({ needsMore }) => needsMore).map(({ command }) => command);
  test("there are some of both kinds", () => expect([here.length > 5, elsewhere.length > 5]).toEqual([true, true]));

  test.for(elsewhere)("not run, but sound: %s", (command) => {
    for (const [, path = ""] of command.matchAll(/(?:^|\s)((?:deploy|examples|docs)\/[\w./-]+)/g))
      expect(existsSync(join(root, path)), path).toBe(true);
    for (const [, image = ""] of command.matchAll(/s\|([^|]+)\|/g))
      expect(textOf("deploy/base/deployment.yaml")).toContain(`image: ${image}\n`);
    for (const [, patch = ""] of command.matchAll(/-p '([^']+)'/g)) expect(parseConfig(JSON.parse(patch).data).warnings).toEqual([]);
  });
});

test("commands and options of countersign that a page names are there", { timeout: 120_000 }, async () => {
  const lines = pages.flatMap((page) => blocks(textOf(page), "sh").flatMap((block) => block.split("\n").map((line) => ({ page, line }))));
  const uses = lines.flatMap(({ page, line }) =>
    [...line.matchAll(/(?:^|\| |npx )countersign ((?:keys |verify )?[a-z-]+)([^|#]*)/g)].map(([, words = "", rest = ""]) => ({
      page,
      words,
      rest,
    })),
  );
  expect(uses.length).toBeGreaterThan(20);
  const help = new Map<string, string>();
  for (const words of new Set(uses.map((use) => use.words)))
    help.set(words, (await tool("countersign", [...words.split(" "), "--help"])).stdout);
  const missing = uses.flatMap(({ page, words, rest }) =>
    [...rest.matchAll(/--[a-z-]+/g)]
      .filter(([flag]) => !new RegExp(`${flag}(?![a-z-])`).test(help.get(words) ?? ""))
      .map(([flag]) => `${page}: ${words} ${flag}`),
  );
  expect(missing).toEqual([]);
});

describe("TypeScript of README.md", () => {
  const programs = blocks(readme, "ts");
  test("is there", () => expect(programs.length).toBeGreaterThan(0));

  test.for(programs.map((program, n) => [n, program] as const))(
    "program %i compiles and runs",
    { timeout: 60_000 },
    async ([n, program]) => {
      await compile(`readme-${n}`, program);
      const { stdout } = await run(process.execPath, [`readme-${n}.ts`]);
      expect(stdout).toContain("chains.tekton.dev/signature-taskrun-");
      expect(stdout).toMatch(/\[\]\n$/); // no failure
    },
  );
});

test("every name that a page imports exists", { timeout: 60_000 }, async () => {
  const imports = pages.flatMap((page) => blocks(textOf(page), "ts").flatMap((block) => block.match(/^import [^;]+;/gm) ?? []));
  expect(imports.length).toBeGreaterThan(15);
  imports.forEach((line, n) => void writeFileSync(join(desk, `imports-${n}.ts`), `${line}\n`));
  await compile("imports-last", "export {};\n", "imports-*.ts");
});

/** By the rules of this workspace, but for imports that a page does not show the use of. */
async function compile(name: string, program: string, include = `${name}.ts`): Promise<void> {
  writeFileSync(join(desk, `${name}.ts`), program);
  const compilerOptions = { noUnusedLocals: false };
  writeFileSync(
    join(desk, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions, include: [include] }),
  );
  const said = await tool("tsc", ["-p", "."]).then(
    () => "",
    (error) => `${error.stdout}`,
  );
  // Packages are their sources here, and have a check of their own: only what the page says is judged.
  expect(said.split("\n").filter((line) => /^(readme|imports)-/.test(line))).toEqual([]);
}

describe.each(pages)("%s", (page) => {
  const prose = textOf(page).replace(/^```[\s\S]*?^```/gm, "");

  test("its links lead somewhere", () => {
    const links = [...prose.replace(/`[^`\n]*`(?!\])/g, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = ""]) => to);
    expect(links.filter((to) => !/^(https?|mailto):/.test(to) && !leadsSomewhere(page, to))).toEqual([]);
  });

  test("files it names by their path exist", () => {
    const named = [...prose.matchAll(/`((?:apps|packages|examples|test|docs|deploy)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

function leadsSomewhere(page: string, to: string): boolean {
  const [path = "", anchor] = to.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || headings(textOf(target)).includes(anchor);
}

/** As GitHub makes anchors of them. */
const headings = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replace(/\s/g, "-"),
  );
