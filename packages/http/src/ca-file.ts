import { readFileSync, statSync } from "node:fs";

export interface CaFile {
  /** PEM; as last read. */
  readonly text: string;
  /** Looks whether the file was replaced, as a mounted ConfigMap or Secret is. Half-written or empty ones wait for their better half. */
  hasChanged(): boolean;
}

/** @throws TypeError naming the file that cannot be read */
export function caFileAt(file: string): CaFile {
  let text = read(file);
  let stamp = stampOf(file);
  return {
    get text() {
      return text;
    },
    hasChanged() {
      const now = stampOf(file);
      if (now === undefined || now === stamp) return false;
      const next = textIn(file);
      if (next === undefined) return false;
      stamp = now;
      const changed = next !== text;
      text = next;
      return changed;
    },
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new TypeError(`the CA file ${file} cannot be read`, { cause });
  }
}

function stampOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.mtimeMs} ${found.size}`;
}

function textIn(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8");
    return /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
