import { execFile } from "node:child_process";
import { cliBin } from "./stage.ts";

/** One command of `countersign verify`, run as anybody would, and what it said. */
export interface Check {
  /** As a user types it. */
  readonly command: string;
  readonly about: string;
  readonly accepted: boolean;
  /** What was accepted, or why nothing was. */
  readonly words: readonly string[];
}

export function check(about: string, args: readonly string[]): Promise<Check> {
  const command = `npx countersign ${args.join(" ")}`;
  return new Promise((resolve) => {
    execFile(process.execPath, [cliBin, ...args, "--output", "json"], { maxBuffer: 16 * 2 ** 20 }, (error, stdout, stderr) => {
      resolve({ command, about, accepted: !error, words: wordsOf(stdout, stderr) });
    });
  });
}

interface Verdict {
  readonly reason?: string;
  readonly checked?: readonly {
    readonly accepted: boolean;
    readonly place?: string;
    readonly what?: string;
    readonly reasons?: readonly { readonly sentence: string }[];
  }[];
}

function wordsOf(stdout: string, stderr: string): readonly string[] {
  try {
    const { reason, checked = [] } = JSON.parse(stdout) as Verdict;
    const refused = checked.flatMap(({ accepted, reasons = [] }) => (accepted ? [] : reasons.map(({ sentence }) => sentence)));
    return [...(reason ? [reason] : []), ...refused];
  } catch {
    return [stderr.trim()];
  }
}
