import { dsseLayerMediaType, type Layer, simplesigningMediaType } from "@countersign/bundle";
import type { Call } from "@countersign/core";
import {
  type Descriptor,
  type OpenRepository,
  parseImageManifest,
  RegistryError,
  type StoredManifest,
  textOf,
} from "@countersign/oci-client";

/** More than this at one tag is not read: the oldest layers are left out. */
const maxBytes = 32 * 2 ** 20;
const keptBytes = 16 * 2 ** 20;

/** Layers as they stand in a registry. Bytes once read are kept for a while: a digest never means other bytes. */
export interface LayerReader {
  /** The signatures and envelopes of a tag, oldest first. What is damaged or gone is left out: it must not hide what is sound. */
  layersOf(repository: OpenRepository, manifest: StoredManifest, call: Call): Promise<readonly Layer[]>;
}

export function layerReader(): LayerReader {
  const kept = new Map<string, Uint8Array>();
  let size = 0;

  async function bytesOf(repository: OpenRepository, { digest }: Descriptor, call: Call): Promise<Uint8Array | undefined> {
    const key = textOf({ ...repository.place, digest });
    const known = kept.get(key);
    if (known) return known;
    const bytes = await repository.blob(digest, call).catch(unlessUnsound);
    if (!bytes) return undefined;
    kept.set(key, bytes);
    size += bytes.length;
    for (const [oldest, { length }] of kept) {
      if (size <= keptBytes) break;
      kept.delete(oldest);
      size -= length;
    }
    return bytes;
  }

  return {
    async layersOf(repository, stored, call) {
      const layers: Layer[] = [];
      let left = maxBytes;
      for (const descriptor of imageManifestFrom(stored, repository, stored.digest).layers.toReversed()) {
        const { mediaType, size, annotations = {} } = descriptor;
        left -= size;
        if (left < 0) break;
        if (mediaType !== dsseLayerMediaType && mediaType !== simplesigningMediaType) continue;
        const bytes = await bytesOf(repository, descriptor, call);
        if (bytes) layers.push({ mediaType, bytes, annotations });
      }
      return layers.reverse();
    },
  };
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
