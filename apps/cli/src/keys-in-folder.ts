import { constants } from "node:fs";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CountersignError } from "@countersign/core";
import type { KeyFiles, KeysMade } from "./key-files.ts";

/** For the owner alone, except for what is public. */
const modes = { "cosign.key": 0o600, "cosign.password": 0o600, "cosign.pub": 0o644 } as const;
/** x509.pem would win over the new key, which nobody would notice. */
const inTheWay = [...Object.keys(modes), "x509.pem"];

/** @throws CountersignError "mark.key-exists" before anything is written, "mark.no-folder" */
export async function keysInFolder(folder: string, make: () => Promise<KeyFiles>): Promise<KeysMade> {
  for (const name of inTheWay) if (await exists(join(folder, name))) throw keyExists(join(folder, name));
  const files = await make();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = Object.keys(modes) as (keyof typeof modes)[];
    // "wx": somebody may have been quicker since we looked
    for (const name of names) await writeFile(join(folder, name), files[name], { mode: modes[name], flag: "wx" });
    return { written: names.map((name) => join(folder, name)), publicKey: files["cosign.pub"] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw keyExists(folder);
    throw new CountersignError("mark.no-folder", `nothing can be written to ${folder} (${code}): choose another folder`, {
      retry: "never",
    });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path, constants.F_OK).then(
    () => true,
    () => false,
  );

const keyExists = (path: string): CountersignError =>
  new CountersignError("mark.key-exists", `${path} is there already and is not overwritten: choose another folder, or move it away`, {
    retry: "never",
  });
