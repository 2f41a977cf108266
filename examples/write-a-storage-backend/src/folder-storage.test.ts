import assert from "node:assert/strict";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { anAttestation } from "@countersign/testing";
import { storageConformance } from "@countersign/testing/conformance";
import { folderStorage } from "./folder-storage.ts";

const freshFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "folder-storage-"));
const signal = new AbortController().signal;

describe("the exam", () => {
  storageConformance(it, async () => ({ backend: folderStorage(await freshFolder()) }));
});

it("leaves no draft behind", async () => {
  const root = await freshFolder();
  await folderStorage(root).store(await anAttestation(), { signal });
  assert.deepEqual(
    (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".draft")),
    [],
  );
});

it("says which folder cannot be used, and that it counts", async () => {
  const file = join(await freshFolder(), "a file, no folder");
  await writeFile(file, "");
  await assert.rejects(folderStorage(file).store(await anAttestation(), { signal }), { code: "store.folder", retry: "counted" });
});

it("finds its own among files of strangers", async () => {
  const backend = folderStorage(await freshFolder());
  const attestation = await anAttestation();
  const { uris } = await backend.store(attestation, { signal });
  await writeFile(new URL("strange.json", uris[0]), "{");
  assert.equal((await backend.find({ ...attestation, annotations: {} }, { signal })).length, 1);
});
