import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256 } from "@countersign/bundle";
import { type Artifact, CountersignError, type Found, type StorageBackend } from "@countersign/core";

/** Attestations as files: a folder for each artifact, in it a file for each payload and signature, JSON with the bytes in base64. */
export function folderStorage(root: string): StorageBackend & Required<Pick<StorageBackend, "find">> {
  const placeOf = ({ fullKey }: Artifact): string => join(resolve(root), encodeURIComponent(fullKey));
  return {
    name: "folder",
    async store({ artifact, payload, signature, evidence }, { signal }) {
      signal.throwIfAborted();
      const { bytes, ...names } = signature;
      const found: Kept = { digest: sha256(payload.body), signature: { ...names, bytes: base64(bytes) }, evidence };
      // The name follows from what is kept, so storing again writes the same file again.
      const file = join(placeOf(artifact), `${found.digest}-${sha256(bytes).slice(0, 12)}.json`);
      await orStoreError(root, async () => {
        await mkdir(placeOf(artifact), { recursive: true });
        const draft = `${file}.${crypto.randomUUID()}.draft`;
        await writeFile(draft, JSON.stringify({ ...found, payload: base64(payload.body) }), { signal });
        await rename(draft, file); // whole, or not at all
      });
      return { uris: [pathToFileURL(file).href] };
    },
    async find({ artifact }, { signal }) {
      signal.throwIfAborted();
      return orStoreError(root, async () => {
        const names = await readdir(placeOf(artifact)).catch(emptyIfAbsent);
        const files = names.filter((name) => name.endsWith(".json")).map((name) => join(placeOf(artifact), name));
        return (await Promise.all(files.map(async (file) => foundIn(await readFile(file, { encoding: "utf8", signal }))))).flat();
      });
    },
  };
}

type Kept = Omit<Found, "signature"> & { readonly signature: Omit<Found["signature"], "bytes"> & { readonly bytes: string } };

/** What somebody else left among our files is nothing of ours, and no failure. */
function foundIn(text: string): readonly Found[] {
  try {
    const { digest, signature, evidence } = JSON.parse(text) as Kept;
    return [{ digest, signature: { ...signature, bytes: Buffer.from(signature.bytes, "base64") }, evidence }];
  } catch {
    return [];
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

const emptyIfAbsent = (error: NodeJS.ErrnoException): readonly string[] => {
  if (error.code === "ENOENT") return [];
  throw error;
};

/** A full disk is an outage and is waited for; everything else that the system refuses counts. An abort is nobody's failure. */
async function orStoreError<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined || code === "ABORT_ERR") throw cause;
    const retry = code === "ENOSPC" || code === "EDQUOT" ? "wait" : "counted";
    throw new CountersignError("store.folder", `${root} cannot hold attestations (${code}); make it a writable folder`, { retry, cause });
  }
}
