import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/** Fills a folder aside and puts it in its place in one step, so that a shelf never shows half a part. */
export async function shelve(place: string, fill: (folder: string) => Promise<void> | void): Promise<void> {
  mkdirSync(dirname(place), { recursive: true });
  const aside = mkdtempSync(`${dirname(dirname(place))}/.making-`);
  try {
    await fill(aside);
    renameSync(aside, place);
  } catch (error) {
    // Somebody else was quicker: theirs is as good.
    if (!existsSync(place)) throw error;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
