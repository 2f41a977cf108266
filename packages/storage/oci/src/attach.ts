import type { Layer } from "@countersign/bundle";
import { type Call, CountersignError } from "@countersign/core";
import { pause } from "@countersign/http";
import { imageManifestType, type OpenRepository } from "@countersign/oci-client";
import { imageManifestFrom } from "./layers.ts";
import { type Place, uriOf } from "./places.ts";
import { appended, hasBlobOf, holds } from "./tag-scheme.ts";
import { turn } from "./turn.ts";

export interface AttachOptions extends Call {
  /** Sets a time limit for a piece of work. */
  readonly inTime: <T>(work: (call: Call) => Promise<T>) => Promise<T>;
  /** How long to wait before looking whether the layer is still there, when reading, merging and writing took so long (milliseconds). */
  readonly lookAfterMs: (tookMs: number) => number;
}

/** How often the tag is written when other writers keep overwriting it. */
const merges = 8;

/**
 * Whoever read the tag before we wrote it, and writes it after us, takes our layer away: a tag has no lock. So we wait as long as such a
 * writer is likely to need, and only then look; once the layer is seen, everybody who writes later has read it.
 */
export const lookAfter = (tookMs: number): number => Math.min(1_000, Math.max(10, 3 * tookMs)) * (0.75 + Math.random() / 2);

/** Read, merge, write, look, until the layer stands at its tag. @throws CountersignError "store.contended", RegistryError */
export async function attach(repository: OpenRepository, place: Place, layer: Layer, options: AttachOptions): Promise<Place> {
  const { signal, inTime, lookAfterMs } = options;
  const uploaded = { layer: false };
  // Each time we were overwritten we look later: the other writer is slower than we are.
  for (let merge = 0; merge < merges; merge += 1) {
    const put = await turn(uriOf(place), signal, () => inTime((call) => merged(repository, place, layer, uploaded, call)));
    if (put === undefined) return place;
    await pause(lookAfterMs(put.tookMs * (merge + 1)), signal);
    if (await inTime((call) => stands(repository, place, layer, put.digest, call))) return place;
  }
  const sentence = `${uriOf(place)}: other writers kept overwriting it; it is tried again`;
  throw new CountersignError("store.contended", sentence, { retry: "wait" });
}

interface Put {
  readonly digest: string;
  /** From reading to having written: the time in which others may have read what we were about to replace. */
  readonly tookMs: number;
}

/** Undefined when there was nothing to do. */
async function merged(
  repository: OpenRepository,
  { tag }: Place,
  layer: Layer,
  uploaded: { layer: boolean },
  call: Call,
): Promise<Put | undefined> {
  const start = performance.now();
  const stored = await repository.manifest(tag, call);
  const existing = stored && imageManifestFrom(stored, repository, tag);
  if (existing && holds(existing, layer)) return undefined;
  const next = appended(existing, layer);
  const blobs = [next.config, ...(uploaded.layer || hasBlobOf(existing, layer) ? [] : [layer.bytes])];
  await Promise.all(blobs.map((bytes) => repository.putBlob(bytes, call)));
  uploaded.layer = true;
  const digest = await repository.putManifest(tag, { mediaType: stored?.mediaType || imageManifestType, bytes: next.manifest }, call);
  return { digest, tookMs: performance.now() - start };
}

async function stands(repository: OpenRepository, { tag }: Place, layer: Layer, put: string, call: Call): Promise<boolean> {
  if ((await repository.digestOf(tag, call)) === put) return true;
  const stored = await repository.manifest(tag, call);
  return stored !== undefined && holds(imageManifestFrom(stored, repository, tag), layer);
}
