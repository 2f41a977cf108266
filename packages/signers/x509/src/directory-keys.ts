import { createHash } from "node:crypto";
import { readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CountersignError } from "@countersign/core";
import type { KeyFiles, KeySource } from "./key-source.ts";

const names = ["x509.pem", "cosign.key", "cosign.password"] as const;

/**
 * The key files of a directory, such as a mounted Secret. They are read at each call, so a rotation needs no restart, and read
 * again when the directory changed under the reader: a new key never meets an old password.
 */
export function directoryKeys(dir: string): KeySource {
  let reading: Promise<KeyFiles> | undefined;
  return {
    place: dir,
    current() {
      reading ??= snapshotOf(dir).finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

async function snapshotOf(dir: string): Promise<KeyFiles> {
  for (let tries = 0; tries < 20; tries++) {
    const before = await stampOf(dir);
    const files = await filesOf(dir);
    if ((await stampOf(dir)) === before) return { version: versionOf(files), files };
    await pause(5);
  }
  throw new CountersignError(
    "sign.key-unreadable",
    `the key files in ${dir} change faster than they can be read: wait for the rotation to end`,
    {
      retry: "hold",
    },
  );
}

/** Changes when kubelet swaps ..data and when somebody writes one of the files. */
async function stampOf(dir: string): Promise<string> {
  const target = await readlink(join(dir, "..data")).catch(codeOf);
  const stats = await Promise.all(names.map((name) => stat(join(dir, name), { bigint: true }).catch(codeOf)));
  return [target, ...stats.map((one) => (typeof one === "string" ? one : `${one.ino} ${one.mtimeNs} ${one.size}`))].join("\n");
}

async function filesOf(dir: string): Promise<Readonly<Record<string, Uint8Array>>> {
  const files: Record<string, Uint8Array> = {};
  for (const name of names) {
    const bytes = await readFile(join(dir, name)).catch(() => undefined);
    if (bytes) files[name] = bytes;
  }
  return files;
}

/** By content: a file that was only touched needs no new decryption. */
function versionOf(files: Readonly<Record<string, Uint8Array>>): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of Object.entries(files)) hash.update(`${name} ${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? "unknown";
