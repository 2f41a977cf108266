import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { follow, versionOf } from "./follow.ts";

test("another version is told once; a source that fails and comes back as well; an abort ends it", async () => {
  const stop = new AbortController();
  let version: string | undefined = "1";
  let told = 0;
  const current = async (): Promise<string> => {
    if (version === undefined) throw new Error("unreadable");
    return version;
  };
  const following = follow(current, () => void told++, { signal: stop.signal }, 1);
  const after = async (next: string | undefined) => {
    version = next;
    await new Promise((resolve) => setTimeout(resolve, 40));
    return told;
  };
  expect([await after("1"), await after("2"), await after("2"), await after(undefined), await after("2")]).toEqual([0, 1, 1, 2, 3]);
  stop.abort();
  await following;
});

test("a file that comes, changes or goes makes another version; one that is not there makes none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "follow-"));
  const [there, absent] = [join(folder, "token"), join(folder, "absent")];
  const versions = [await versionOf([there, absent])];
  writeFileSync(there, "one");
  versions.push(await versionOf([there, absent]), await versionOf([there, absent]));
  writeFileSync(there, "another");
  versions.push(await versionOf([there, absent]));
  rmSync(folder, { recursive: true });
  versions.push(await versionOf([there, absent]));
  expect(new Set(versions).size).toBe(3);
  expect([versions[1] === versions[2], versions[0] === versions[4]]).toEqual([true, true]);
});
