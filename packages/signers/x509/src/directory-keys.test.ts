import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { directoryKeys } from "./directory-keys.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "keys-"));
});
afterEach(() => rm(dir, { recursive: true }));

const put = (name: string, text: string) => writeFile(join(dir, name), text);
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test("three names are read, others are not", async () => {
  await Promise.all([put("x509.pem", "a"), put("cosign.key", "b"), put("cosign.password", ""), put("cosign.pub", "d")]);
  const { files } = await directoryKeys(dir).current();
  expect(Object.keys(files)).toEqual(["x509.pem", "cosign.key", "cosign.password"]);
  expect(text(files["cosign.password"])).toBe("");
});

test("what cannot be read is absent: no file, a directory, no directory", async () => {
  await mkdir(join(dir, "x509.pem"));
  await put("cosign.key", "b");
  expect(Object.keys((await directoryKeys(dir).current()).files)).toEqual(["cosign.key"]);
  expect((await directoryKeys(join(dir, "none")).current()).files).toEqual({});
});

test("the version follows the contents, not the clock", async () => {
  const keys = directoryKeys(dir);
  await put("x509.pem", "a");
  const first = await keys.current();
  await utimes(join(dir, "x509.pem"), 1, 1);
  expect((await keys.current()).version).toBe(first.version);
  await put("x509.pem", "b");
  expect((await keys.current()).version).not.toBe(first.version);
  await rm(join(dir, "x509.pem"));
  expect((await keys.current()).files).toEqual({});
});

describe("a mounted Secret", () => {
  /** As kubelet does it: a new directory, then one rename of the link. */
  const mount = async (generation: number) => {
    await mkdir(join(dir, `..${generation}`));
    await put(`..${generation}/cosign.key`, `key ${generation}`);
    await put(`..${generation}/cosign.password`, `password ${generation}`);
    await symlink(`..${generation}`, join(dir, "..tmp"));
    await rename(join(dir, "..tmp"), join(dir, "..data"));
    if (generation > 0) await rm(join(dir, `..${generation - 1}`), { recursive: true });
  };

  test("key and password are always of one generation, through a hundred rotations", async () => {
    await mount(0);
    for (const name of ["cosign.key", "cosign.password"]) await symlink(`..data/${name}`, join(dir, name));
    const keys = directoryKeys(dir);
    let rotating = true;
    const rotations = (async () => {
      for (let generation = 1; generation <= 100; generation++) await mount(generation);
      rotating = false;
    })();
    const seen = new Set<string>();
    while (rotating) {
      const { files } = await keys.current().catch(() => ({ files: {} as Record<string, Uint8Array> }));
      if (!files["cosign.key"]) continue;
      const generation = text(files["cosign.key"])?.slice("key ".length) ?? "";
      expect(text(files["cosign.password"])).toBe(`password ${generation}`);
      seen.add(generation);
    }
    await rotations;
    expect(text((await keys.current()).files["cosign.key"])).toBe("key 100");
    expect(seen.size).toBeGreaterThan(1);
  });
});
