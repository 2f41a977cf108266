import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wholeProgram } from "./program.ts";
import { session } from "./session.fixture.ts";

const docs = new URL("../../../docs/", import.meta.url);
const page = readFileSync(new URL("cli.md", docs), "utf8");
const person = session();
let leaves: readonly Command[] = [];
beforeAll(async () => {
  const program = await wholeProgram({ ...silent, signal: new AbortController().signal });
  leaves = leavesOf(program);
});
afterAll(() => person[Symbol.dispose]());
const silent = { out() {}, err() {}, readText: async () => "", askSecret: async () => undefined, env: {}, color: false, exitWith() {} };

const leavesOf = (command: Command): readonly Command[] => (command.commands.length > 0 ? command.commands.flatMap(leavesOf) : [command]);
const wordsOf = (command: Command): string => (command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name());
const flagsOf = ({ options }: Command): readonly string[] =>
  options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined));
const sectionOf = (words: string): string => page.split(/^## /m).find((section) => section.startsWith(`${words}\n`)) ?? "";

test("every command has its section, every option its row, and no row is invented", () => {
  expect(leaves.map(wordsOf).sort()).toEqual([...page.matchAll(/^## (countersign .+)$/gm)].map(([, words]) => words).sort());
  for (const command of leaves) {
    const rows = [...sectionOf(wordsOf(command)).matchAll(/^\| (`-.*?) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`(--?[a-z-]+)/g)].map(([, flag]) => flag),
    );
    expect(rows.sort(), wordsOf(command)).toEqual([...flagsOf(command)].sort());
  }
});

describe.each(["cli.md", "keys.md", "configuration.md"])("docs/%s", (name) => {
  const lines = [
    ...readFileSync(new URL(name, docs), "utf8").matchAll(/countersign (statement|attest|verify|keys|check-config)\b[^|`#\n]*/g),
  ].map(([line]) => line.trim());

  test("shows only command lines that exist", () => {
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const command = leaves.find((leaf) => line.startsWith(wordsOf(leaf)));
      const flags = line.split(/\s+/).filter((word) => word.startsWith("-") && word !== "-");
      for (const flag of flags) expect(command && flagsOf(command), line).toContain(flag.split("=")[0]);
    }
  });
});

test("the help of every command shows only command lines that exist", async () => {
  for (const command of leaves) {
    const { out } = await person.run([...wordsOf(command).split(" ").slice(1), "--help"]);
    for (const [line] of out.matchAll(/countersign (attest|verify|keys|check-config) [^|#\n]*/g)) {
      const leaf = leaves.find((one) => line.startsWith(wordsOf(one)));
      for (const flag of line.split(/\s+/).filter((word) => /^--?[a-z]/.test(word))) expect(leaf && flagsOf(leaf), line).toContain(flag);
    }
  }
});
