export { logEntriesIn, seenAt, timestampsIn } from "./evidence.ts";
export { foundInEnvelope } from "./found.ts";
export { dsseEnvelope, messageOf, sameBytes, sha256, signatureBlobOf } from "./message.ts";
export { annotationPrefix, foundInAnnotations, runAnnotations } from "./run-annotations.ts";
export { type FoundInBundle, foundInBundle, sigstoreBundle, sigstoreBundleMediaType } from "./sigstore-bundle.ts";
export { dsseLayerMediaType, foundInLayer, type Layer, rekorBundle, simplesigningMediaType, tagLayer } from "./tag-layer.ts";
