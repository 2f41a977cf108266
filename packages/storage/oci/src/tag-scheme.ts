import type { Layer } from "@countersign/bundle";
import { type Descriptor, type ImageManifest, imageConfigType, imageManifestType, sha256Of } from "@countersign/oci-client";

const signatureKey = "dev.cosignproject.cosign/signature";
const certificateKey = "dev.sigstore.cosign/certificate";
/** What others said of a signature: it may come later than the signature itself. */
const evidenceKeys = ["dev.sigstore.cosign/bundle", "dev.sigstore.cosign/rfc3161timestamp"];

/** What has to be put so that a tag carries more layers. */
export interface Appended {
  /** Undefined where the tag has the right one. */
  readonly config: Uint8Array | undefined;
  readonly manifest: Uint8Array;
}

/**
 * A tag with more layers, the new ones last; whatever stands there keeps its place, its annotations and its media types. Only a signature
 * that lacks a log's or a timestamp's word which we have gets it, in place. The bytes are those that cosign and Tekton Chains write, so that
 * the same layers have the same digest whoever wrote them.
 */
export function appended(existing: ImageManifest | undefined, added: readonly Layer[]): Appended {
  const base = existing ?? { schemaVersion: 2, mediaType: imageManifestType, config: { mediaType: imageConfigType } };
  let layers = existing?.layers ?? [];
  for (const layer of added) {
    const twin = layers.find((one) => isTwin(one, layer));
    layers = twin ? layers.map((one) => (one === twin ? completed(one, layer) : one)) : [...layers, descriptorOf(layer)];
  }
  if (existing && layers.length === existing.layers.length)
    return { config: undefined, manifest: Buffer.from(JSON.stringify({ ...existing, layers })) };
  const config = Buffer.from(configOf(layers));
  const described = { mediaType: base.config.mediaType, size: config.length, digest: sha256Of(config) };
  return { config, manifest: Buffer.from(JSON.stringify({ ...base, config: described, layers })) };
}

/** With every word on it that we have. */
export const holds = ({ layers }: ImageManifest, layer: Layer): boolean =>
  layers.some((one) => isTwin(one, layer) && evidenceKeys.every((key) => one.annotations?.[key] || !layer.annotations[key]));

/** Another key's signature over the same bytes is another signature, though its layer has the same digest. */
const isTwin = ({ digest, annotations }: Descriptor, layer: Layer): boolean =>
  digest === sha256Of(layer.bytes) &&
  [signatureKey, certificateKey].every((key) => (annotations?.[key] ?? "") === (layer.annotations[key] ?? ""));

/** In byte order, as cosign and Chains write annotations. */
function completed(one: Descriptor, layer: Layer): Descriptor {
  const words = evidenceKeys.flatMap((key) => (layer.annotations[key] && !one.annotations?.[key] ? [[key, layer.annotations[key]]] : []));
  if (words.length === 0) return one;
  const all = [...Object.entries(one.annotations ?? {}), ...words].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return { ...one, annotations: Object.fromEntries(all) };
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
