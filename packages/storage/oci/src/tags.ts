import { foundInLayer, type Layer, tagLayer } from "@countersign/bundle";
import { type Attestation, type Call, CountersignError, type Found } from "@countersign/core";
import { type ImageManifest, imageManifestType, type OpenRepository, type StoredManifest, textOf } from "@countersign/oci-client";
import { imageManifestFrom, type LayerReader } from "./layers.ts";
import type { Place } from "./places.ts";
import { type KeepOptions, kept, type SharedTag } from "./shared-tag.ts";
import { appended, hasBlobOf, holds } from "./tag-scheme.ts";

/** An attestation as one layer of a tag; answers what then stands at the tag. @throws CountersignError "store.contended", RegistryError */
export function storeAtTag(
  repository: OpenRepository,
  { tag }: Place,
  attestation: Attestation,
  { reader, ...options }: KeepOptions & { readonly reader: LayerReader },
): Promise<StoredManifest> {
  const piece = tagLayer(attestation);
  const bring = async (document: Document | undefined, call: Call): Promise<void> => {
    if (!hasBlobOf(document?.manifest, piece)) await repository.putBlob(piece.bytes, call);
    reader.keep(repository.place, piece.bytes);
  };
  return kept(repository, layersAt(repository, tag), { piece, bring }, options);
}

export async function foundAtTag(
  repository: OpenRepository,
  stored: StoredManifest | undefined,
  reader: LayerReader,
  call: Call,
): Promise<readonly Found[]> {
  const layers = stored ? await reader.layersOf(repository, stored, call) : [];
  return layers.flatMap((layer) => foundInLayer(layer) ?? []);
}

interface Document {
  readonly manifest: ImageManifest;
  readonly mediaType: string;
}

const layersAt = (repository: OpenRepository, tag: string): SharedTag<Layer, Document> => ({
  tag,
  parse: (stored) => ({ manifest: imageManifestFrom(stored, repository, tag), mediaType: stored.mediaType }),
  holds: ({ manifest }, layer) => holds(manifest, layer),
  added(document, layers) {
    const { config, manifest } = appended(document?.manifest, layers);
    // Where a word is only added to a layer, there is no new configuration and no new layer.
    if (config && (document?.manifest.layers.length ?? 0) + layers.length > maxLayers) throw full(textOf({ ...repository.place, tag }));
    return { blobs: config ? [config] : [], mediaType: document?.mediaType || imageManifestType, bytes: manifest };
  },
});

/** More are read by no verifier: one more would hide all the others. */
const maxLayers = 1_000;

const full = (place: string): CountersignError =>
  new CountersignError(
    "store.tag-full",
    `${place}: it holds ${maxLayers} attestations, and verifiers read no tag with more; remove old ones, or store bundles (storage.oci.encoding-format: sigstore-bundle)`,
    { retry: "counted" },
  );
