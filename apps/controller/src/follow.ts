import { stat } from "node:fs/promises";
import type { Call } from "@countersign/core";
import { pause } from "@countersign/kube";

/** What changes without telling anybody (a mounted Secret, a token, a trust root) is looked at every few seconds, until the signal aborts. */
export async function follow(version: () => Promise<string>, changed: () => void, { signal }: Call, everyMs = 2_000): Promise<void> {
  const now = (): Promise<string> => version().catch(() => "");
  let known = await now();
  while (!signal.aborted) {
    await pause(everyMs, signal);
    const seen = await now();
    if (signal.aborted || seen === known) continue;
    known = seen;
    changed();
  }
}

/** Changes whenever one of the files does, comes or goes. */
export async function versionOf(files: readonly string[]): Promise<string> {
  const versions = files.map(async (file) => {
    const { mtimeNs, ino, size } = await stat(file, { bigint: true });
    return `${file} ${mtimeNs} ${ino} ${size}`;
  });
  const settled = await Promise.allSettled(versions);
  return settled.map((one) => (one.status === "fulfilled" ? one.value : "")).join("\n");
}
