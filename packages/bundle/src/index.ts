export { foundInEnvelope } from "./found.ts";
export { dsseEnvelope, messageOf, sameBytes, sha256, signatureBlobOf } from "./message.ts";
export { annotationPrefix, foundInAnnotations, runAnnotations } from "./run-annotations.ts";
export { dsseLayerMediaType, foundInLayer, type Layer, rekorBundle, simplesigningMediaType, tagLayer } from "./tag-layer.ts";
