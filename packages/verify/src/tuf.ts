import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Http } from "@countersign/http";
import type { Fetcher } from "tuf-js";

export interface TufOptions {
  /** The repository's address. Default: sigstore's public good instance. */
  readonly mirror?: string;
  /**
   * Text of the root.json that trust begins with. Default: for the public good instance the one that @sigstore/tuf ships; for any other
   * mirror the root.json that lies there when it is first asked, as Tekton Chains and `cosign initialize` do it.
   */
  readonly root?: string;
  /** Where metadata and targets are kept between processes. Default: nowhere. */
  readonly cacheFolder?: string;
}

export const publicGoodMirror = "https://tuf-repo-cdn.sigstore.dev";

/** One client for one repository; `load` answers the text of its trusted_root.json, by now verified from the first root on. */
export interface TufRepository {
  /** @throws HttpError and what tuf-js throws, which may hide an HttpError in its words */
  load(wire: Http, signal: AbortSignal): Promise<string>;
}

/** What is worth keeping from time to time. All but the first root, which is never read from a cache. */
const files = ["timestamp.json", "snapshot.json", "targets.json", "targets/trusted_root.json"] as const;
type Kept = Map<(typeof files)[number], Buffer>;

/**
 * tuf-js believes the root.json in its folder, whoever wrote it. So it gets a folder of its own for each visit, with a root from a trusted
 * place, and beside it what was kept from the last visit: signatures, versions and hashes of that are verified anew each time, and what does
 * not hold is fetched again. A cache that was tampered with can therefore cost requests, not trust; an older state from the mirror is
 * refused as long as the newer one is remembered.
 */
export function tufRepository({ mirror = publicGoodMirror, root, cacheFolder }: TufOptions): TufRepository {
  const base = mirror.replace(/\/+$/, "");
  const shelf = cacheFolder === undefined ? undefined : join(cacheFolder, encodeURIComponent(base.replace(/^https?:\/\//, "")));
  let kept: Kept | undefined;
  let first: Buffer | undefined;

  return {
    async load(wire, signal) {
      first ??= await firstRoot(base, root, wire, signal);
      kept ??= await readShelf(shelf);
      const folder = await workFolder(cacheFolder);
      try {
        await furnish(folder, first, kept);
        const path = await verifiedTarget(folder, base, wire, signal);
        const text = await readFile(path, "utf8");
        kept = await readShelf(folder);
        await fillShelf(shelf, kept);
        return text;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function firstRoot(base: string, root: string | undefined, wire: Http, signal: AbortSignal): Promise<Buffer> {
  if (root !== undefined) return Buffer.from(root);
  return base === publicGoodMirror ? publicGoodRoot() : fetchBytes(wire, `${base}/root.json`, 1_000_000, signal);
}

async function verifiedTarget(folder: string, base: string, wire: Http, signal: AbortSignal): Promise<string> {
  const { Updater } = await import("tuf-js");
  const updater = new Updater({
    metadataDir: folder,
    metadataBaseUrl: base,
    targetDir: join(folder, "targets"),
    targetBaseUrl: `${base}/targets`,
    fetcher: fetcher(folder, wire, signal),
  });
  const target = await updater.getTargetInfo("trusted_root.json");
  if (!target) throw new TypeError("the repository has no trusted_root.json");
  return (await updater.findCachedTarget(target)) ?? (await updater.downloadTarget(target));
}

/** Under our deadlines, proxies and CAs rather than those of the global fetch. */
function fetcher(folder: string, wire: Http, signal: AbortSignal): Fetcher {
  const downloadBytes = (url: string, maxLength: number): Promise<Buffer> => fetchBytes(wire, url, maxLength, signal);
  return {
    downloadBytes,
    async downloadFile(url, maxLength, handler) {
      const path = join(folder, "download");
      await writeFile(path, await downloadBytes(url, maxLength));
      return handler(path);
    },
  };
}

async function fetchBytes(wire: Http, url: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const { status, body } = await wire.request({ url, maxBytes, signal, totalMs: 15_000, redirects: 3 });
  if (status === 200) return Buffer.from(body);
  // the class by which tuf-js knows the end of the chain of roots
  const { DownloadHTTPError } = await import("tuf-js/dist/error.js");
  throw new DownloadHTTPError(`${new URL(url).pathname}: the mirror answered ${status}`, status);
}

/** @sigstore/tuf keeps it beside its code and has no function that hands it out. */
function publicGoodRoot(): Buffer {
  const seeds = createRequire(import.meta.url)("@sigstore/tuf/seeds.json") as Readonly<Record<string, { "root.json": string }>>;
  return Buffer.from(seeds[publicGoodMirror]?.["root.json"] ?? "", "base64");
}

async function workFolder(cacheFolder: string | undefined): Promise<string> {
  if (cacheFolder === undefined) return mkdtemp(join(tmpdir(), "countersign-tuf-"));
  try {
    await mkdir(cacheFolder, { recursive: true });
    return await mkdtemp(join(cacheFolder, "visit-"));
  } catch {
    return mkdtemp(join(tmpdir(), "countersign-tuf-")); // read-only: it is no cache, then
  }
}

async function furnish(folder: string, root: Uint8Array, kept: Kept): Promise<void> {
  await mkdir(join(folder, "targets"));
  await writeFile(join(folder, "root.json"), root);
  for (const [name, bytes] of kept) await writeFile(join(folder, name), bytes);
}

async function readShelf(shelf: string | undefined): Promise<Kept> {
  const kept: Kept = new Map();
  for (const name of shelf === undefined ? [] : files) {
    const bytes = await readFile(join(shelf ?? "", name)).catch(() => undefined);
    if (bytes && bytes.length <= 5_000_000) kept.set(name, bytes);
  }
  return kept;
}

/** Renamed into place, so that twenty processes starting at once never see half a file. What cannot be kept is fetched again next time. */
async function fillShelf(shelf: string | undefined, kept: Kept): Promise<void> {
  if (shelf === undefined) return;
  try {
    await mkdir(join(shelf, "targets"), { recursive: true });
    for (const [name, bytes] of kept) {
      const half = join(shelf, `${name}.${process.pid}.half`);
      await writeFile(half, bytes);
      await rename(half, join(shelf, name));
    }
  } catch {}
}
