import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

let root: string | undefined;
let count = 0;

/** A new folder that goes when the test process goes, however the test ended. */
export function tempFolder(name: string): string {
  if (root === undefined) {
    const made = mkdtempSync(`${tmpdir()}/countersign-real-`);
    process.once("exit", () => rmSync(made, { recursive: true, force: true, maxRetries: 3 }));
    root = made;
  }
  count += 1;
  const folder = `${root}/${name}-${count}`;
  mkdirSync(folder);
  return folder;
}
