import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { atExit } from "./at-exit.ts";

let root: string | undefined;
let count = 0;

/** A new folder that goes when the test process goes, however the test ended. */
export function tempFolder(name: string): string {
  if (root === undefined) {
    const made = mkdtempSync(`${tmpdir()}/countersign-real-`);
    atExit(() => rmSync(made, { recursive: true, force: true, maxRetries: 3 }));
    root = made;
  }
  count += 1;
  const folder = `${root}/${name}-${count}`;
  mkdirSync(folder);
  return folder;
}
