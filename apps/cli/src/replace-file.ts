import { rename, rm, stat, writeFile } from "node:fs/promises";
import { CountersignError } from "@countersign/core";

/** All of the new text or all of the old one, also when the process dies in between. @throws CountersignError "mark.not-writable" */
export async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.new`;
  try {
    await writeFile(beside, text, { mode: (await stat(path)).mode });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new CountersignError(
      "mark.not-writable",
      `${path} cannot be written (${code}): the run was attested, its annotations are not in the file`,
      {
        retry: "never",
      },
    );
  }
}
