import type { Layer } from "@countersign/bundle";
import { type Descriptor, type ImageManifest, imageConfigType, imageManifestType, sha256Of } from "@countersign/oci-client";

const signatureKey = "dev.cosignproject.cosign/signature";
const certificateKey = "dev.sigstore.cosign/certificate";

/** What has to be put so that a tag carries one more layer. */
export interface Appended {
  readonly config: Uint8Array;
  readonly manifest: Uint8Array;
}

/**
 * A tag with one more layer, the new one last; whatever stands there keeps its place, its annotations and its media types. The bytes are
 * those that cosign and Tekton Chains write, so that the same layers have the same digest whoever wrote them.
 */
export function appended(existing: ImageManifest | undefined, layer: Layer): Appended {
  const base = existing ?? { schemaVersion: 2, mediaType: imageManifestType, config: { mediaType: imageConfigType } };
  const layers = [...(existing?.layers ?? []), descriptorOf(layer)];
  const config = Buffer.from(configOf(layers));
  const described = { mediaType: base.config.mediaType, size: config.length, digest: sha256Of(config) };
  return { config, manifest: Buffer.from(JSON.stringify({ ...base, config: described, layers })) };
}

/** Another key's signature over the same bytes is another signature, though its layer has the same digest. */
export function holds({ layers }: ImageManifest, layer: Layer): boolean {
  const wanted = descriptorOf(layer);
  return layers.some(
    (one) =>
      one.digest === wanted.digest &&
      [signatureKey, certificateKey].every((key) => (one.annotations?.[key] ?? "") === (layer.annotations[key] ?? "")),
  );
}

export const hasBlobOf = (manifest: ImageManifest | undefined, layer: Layer): boolean =>
  manifest?.layers.some(({ digest }) => digest === sha256Of(layer.bytes)) ?? false;

const descriptorOf = ({ mediaType, bytes, annotations }: Layer): Descriptor => ({
  mediaType,
  size: bytes.length,
  digest: sha256Of(bytes),
  annotations,
});

/** An image configuration without an image: layers are not compressed, so each is its own diff id; time stands still. */
function configOf(layers: readonly Descriptor[]): string {
  const created = "0001-01-01T00:00:00Z";
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  return JSON.stringify({ architecture: "", created, history: layers.map(() => ({ created })), os: "", rootfs, config: {} });
}
