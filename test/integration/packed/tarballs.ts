import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, run, tool } from "./commands.ts";

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface Published {
  readonly name: string;
  /** In this workspace, "packages/storage/oci". */
  readonly folder: string;
  readonly manifest: Manifest;
}

export const manifestIn = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Every package that is not private. */
export const published: readonly Published[] = globSync("{packages,apps}/{*,*/*}/package.json", { cwd: root })
  .filter((file) => !file.includes("node_modules"))
  .map((file) => ({ folder: dirname(file), manifest: manifestIn(join(root, dirname(file))) }))
  .filter(({ manifest }) => !manifest.private)
  .map((one) => ({ ...one, name: one.manifest.name }));

/** Builds all, packs each into `<to>/tarballs` and unpacks it again into `<to>/unpacked/<name>`. @returns names to files */
export async function packAll(to: string): Promise<ReadonlyMap<string, string>> {
  // What a cache brings back is laid over what is there: a file of an older build would stay.
  for (const { folder } of published) rmSync(join(root, folder, "dist"), { recursive: true, force: true });
  await tool("turbo", ["run", "build", "--output-logs=errors-only", "--ui=stream"], root);
  mkdirSync(join(to, "tarballs"));
  const tarballs = new Map<string, string>();
  for (const { folder, name } of published) {
    const { stdout } = await tool("pnpm", ["pack", "--json", "--pack-destination", join(to, "tarballs")], join(root, folder));
    const { filename } = JSON.parse(stdout);
    tarballs.set(name, filename);
    mkdirSync(join(to, "unpacked", name), { recursive: true });
    await run("tar", ["-xzf", filename, "-C", join(to, "unpacked", name), "--strip-components=1"], to);
  }
  return tarballs;
}
