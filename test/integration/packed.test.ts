import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnvelope, parseStatement } from "@countersign/in-toto-attestation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run, tool } from "./packed/commands.ts";
import { doors, examples, settleOutside } from "./packed/outside.ts";
import { manifestIn, packAll, published } from "./packed/tarballs.ts";

/**
 * What strangers get: every public package is built and packed, and the tarballs are installed in a folder outside of this workspace.
 * There the examples are type-checked and run by plain node, from what their package.json names and nothing else. No network.
 */
const home = mkdtempSync(join(tmpdir(), "countersign-packed-"));
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  tarballs = await packAll(home);
}, 240_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe.each(published)("the tarball of $name", ({ name, folder }) => {
  const unpacked = join(home, "unpacked", name);
  const files = (): readonly string[] => globSync("**/*", { cwd: unpacked }).filter((file) => statSync(join(unpacked, file)).isFile());

  test("holds what today's sources give, README and LICENSE, and nothing else", () => {
    const sources = globSync("src/**/*.ts", { cwd: join(root, folder) }).filter((file) => !/\.(test|fixture)\.ts$/.test(file));
    const built = sources.flatMap((file) => [".js", ".d.ts"].map((ending) => file.replace(/^src/, "dist").replace(/\.ts$/, ending)));
    const tables = globSync("src/**/*.json", { cwd: join(root, folder) }).map((file) => file.replace(/^src(.*)\.json$/, "dist$1.js"));
    expect([...files()].sort()).toEqual(["LICENSE", "README.md", "package.json", ...built, ...tables].sort());
  });

  test("leads somewhere through each of its doors, and nowhere into this workspace", () => {
    const { exports, bin = {} } = manifestIn(unpacked);
    const targets = [...Object.values(exports).flatMap((door) => Object.values(door as object)), ...Object.values(bin)];
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !existsSync(join(unpacked, target)))).toEqual([]);
    expect(files().filter((file) => readFileSync(join(unpacked, file), "utf8").includes("workspace:"))).toEqual([]);
  });
});

/** Libraries that strangers take by themselves. */
test.for(["@countersign/oci-client"])("%s: publint and attw have nothing to say", { timeout: 60_000 }, async (name) => {
  const tarball = tarballs.get(name) ?? expect.fail(`${name} was not packed`);
  expect((await tool("publint", ["run", tarball, "--strict"], home)).stdout).toContain("All good!");
  await tool("attw", [tarball, "--profile", "esm-only"], home);
});

describe("outside of this workspace", () => {
  const outside = join(home, "outside");
  const at = (project: string): string => join(outside, project);
  const bin = (project: string, name: string): string => join(at(project), "node_modules/.bin", name);

  beforeAll(async () => {
    mkdirSync(outside);
    await settleOutside(outside, tarballs);
  }, 240_000);

  test.for([...examples, "everything"])("%s type-checks", async (project) => {
    await tool("tsc", ["-p", "."], at(project));
  });

  test("every name that can be imported is there", async () => {
    expect((await run(process.execPath, ["main.ts"], at("everything"))).stdout).toBe(`${doors.length}\n`);
  });

  test.for(["countersign", "countersign-controller"])("%s --help", async (name) => {
    expect((await run(bin("everything", name), ["--help"], outside)).stdout).toMatch(new RegExp(`^Usage: ${name} `, "m"));
  });

  test("embed-one-signer prints a signed envelope about the image", async () => {
    await run(
      bin("embed-one-signer", "countersign"),
      ["keys", "generate", "./signing-secrets", "--random-password"],
      at("embed-one-signer"),
    );
    const { stdout } = await run(process.execPath, ["src/main.ts"], at("embed-one-signer"));
    const { payload, signatures } = parseEnvelope(stdout);
    expect(signatures).toHaveLength(1);
    expect(parseStatement(Buffer.from(payload, "base64").toString()).subject).toMatchObject([{ name: "registry.example/team/app" }]);
  });

  test("write-a-storage-backend stores in its folder, by route and by configuration", async () => {
    const { stdout, stderr } = await run(process.execPath, ["src/main.ts", "./shelf"], at("write-a-storage-backend"));
    const places = [...stdout.matchAll(/^(.+): \S+ (file:\S+)$/gm)].map(([, how, uri = ""]) => [how, existsSync(new URL(uri))]);
    expect(places).toEqual([
      ["direct", true],
      ["by config", true],
      ["by config", true],
    ]);
    expect(stderr).toBe("");
  });

  test("write-a-storage-backend passes the exam", async () => {
    const { stdout } = await run(process.execPath, ["--test", "src/folder-storage.test.ts"], at("write-a-storage-backend"));
    expect(stdout).toContain("finds what was stored, byte by byte");
    expect(stdout).toMatch(/fail 0$/m);
  });
});
