import { dsseLayerMediaType, type FoundInBundle, foundInBundle, type Layer, simplesigningMediaType } from "@countersign/bundle";
import type { Call } from "@countersign/core";
import {
  type Descriptor,
  type ImageManifest,
  type OpenRepository,
  parseImageManifest,
  RegistryError,
  type Repository,
  type StoredManifest,
  sha256Of,
  textOf,
} from "@countersign/oci-client";
import { few, type Settled } from "./few.ts";

/** More than this at one tag, or among the referrers of one image, is not read: the oldest layers, or the last referrers, are left out. */
const maxBytes = 32 * 2 ** 20;
const keptBytes = 16 * 2 ** 20;
/** More than this of one image are read by nobody. */
const maxReferrers = 1_000;
/** Fetched at the same time. */
const width = 8;

/** Layers as they stand in a registry. Bytes once read are kept for a while: a digest never means other bytes. */
export interface LayerReader {
  /** The signatures and envelopes of a tag, oldest first. What is damaged or gone is left out: it must not hide what is sound. */
  layersOf(repository: OpenRepository, manifest: StoredManifest, call: Call): Promise<readonly Layer[]>;
  /** The bundles that referrers' manifests hold, in the order of the list. Those that hold none, are damaged or gone are left out. */
  bundlesOf(repository: OpenRepository, referrers: readonly Descriptor[], call: Call): Promise<readonly ReadBundle[]>;
  /** Bytes that the registry has just taken: they need not be fetched to be read. */
  keep(place: Repository, bytes: Uint8Array): void;
}

export interface ReadBundle extends FoundInBundle {
  readonly referrer: Descriptor;
  readonly manifest: ImageManifest;
  /** The layer that holds the bundle. */
  readonly layer: Descriptor;
}

export function layerReader(): LayerReader {
  const kept = new Map<string, Uint8Array>();
  let size = 0;

  function keep({ registry, repository }: Repository, bytes: Uint8Array): void {
    const key = textOf({ registry, repository, digest: sha256Of(bytes) });
    if (kept.has(key)) return;
    kept.set(key, bytes);
    size += bytes.length;
    for (const [oldest, { length }] of kept) {
      if (size <= keptBytes) break;
      kept.delete(oldest);
      size -= length;
    }
  }

  async function bytesOf(
    { place }: OpenRepository,
    { digest }: Descriptor,
    fetched: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const { registry, repository } = place;
    const known = kept.get(textOf({ registry, repository, digest }));
    if (known) return known;
    const bytes = await fetched().catch(unlessUnsound);
    if (bytes) keep(place, bytes);
    return bytes;
  }

  async function bundleOf(
    repository: OpenRepository,
    referrer: Descriptor,
    budget: { left: number },
    call: Call,
  ): Promise<ReadBundle | undefined> {
    if (referrer.size > budget.left) return undefined;
    const manifestBytes = await bytesOf(repository, referrer, async () => (await repository.manifest(referrer.digest, call))?.bytes);
    const manifest = manifestBytes && readable(manifestBytes);
    const layer = manifest?.layers.find(({ mediaType }) => isBundleType(mediaType));
    if (!manifest || !layer) return undefined;
    budget.left -= referrer.size + layer.size;
    if (budget.left < 0) return undefined;
    const bytes = await bytesOf(repository, layer, () => repository.blob(layer.digest, call));
    const read = bytes && foundInBundle(Buffer.from(bytes).toString("utf8"));
    return read && { ...read, referrer, manifest, layer };
  }

  return {
    async layersOf(repository, stored, call) {
      let left = maxBytes;
      const wanted: Descriptor[] = [];
      for (const descriptor of imageManifestFrom(stored, repository, stored.digest).layers.toReversed()) {
        left -= descriptor.size;
        if (left < 0) break;
        if ([dsseLayerMediaType, simplesigningMediaType].includes(descriptor.mediaType)) wanted.push(descriptor);
      }
      const read = await few(wanted.reverse(), width, (descriptor) =>
        bytesOf(repository, descriptor, () => repository.blob(descriptor.digest, call)),
      );
      return allOf(read).flatMap((bytes, n) => {
        const { mediaType = "", annotations = {} } = wanted[n] ?? {};
        return bytes ? [{ mediaType, bytes, annotations }] : [];
      });
    },
    async bundlesOf(repository, referrers, call) {
      const budget = { left: maxBytes };
      const read = await few(referrers.slice(0, maxReferrers), width, (referrer) => bundleOf(repository, referrer, budget, call));
      return allOf(read).flatMap((one) => one ?? []);
    },
    keep,
  };
}

function allOf<T>(settled: readonly Settled<T>[]): readonly T[] {
  return settled.map((one) => {
    if ("failure" in one) throw one.failure;
    return one.value;
  });
}

/** "application/vnd.dev.sigstore.bundle.v0.3+json", and as older versions put it. */
export const isBundleType = (mediaType: string): boolean => /^application\/vnd\.dev\.sigstore\.bundle[.+;]/.test(mediaType);

function readable(bytes: Uint8Array): ImageManifest | undefined {
  try {
    return parseImageManifest(bytes);
  } catch {
    return undefined; // somebody else's referrer of another kind
  }
}

/** @throws RegistryError when something else stands at the tag */
export function imageManifestFrom(stored: StoredManifest, { place }: OpenRepository, tag: string): ReturnType<typeof parseImageManifest> {
  try {
    return parseImageManifest(stored.bytes);
  } catch (cause) {
    const reference = tag === stored.digest ? textOf({ ...place, digest: tag }) : textOf({ ...place, tag });
    const what = cause instanceof Error ? cause.message : "it is not sound";
    const sentence = `GET manifest ${reference}: somebody put something else there (${what}); remove the tag`;
    throw new RegistryError(sentence, { operation: "GET manifest", reference, outage: false, cause });
  }
}

/** No answer, or a refusal, is a failure; a sound answer with unsound bytes, or with too many, is somebody's broken layer. */
function unlessUnsound(error: unknown): undefined {
  if (error instanceof RegistryError && !error.outage && error.status === undefined) return undefined;
  throw error;
}
