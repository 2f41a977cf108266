import { createHash } from "node:crypto";
import { isDigest } from "./reference.ts";

/** Any further members a registry's own manifest has are kept as they are. */
export interface Descriptor {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
}

export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** What it is about: it is one of that manifest's referrers. */
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
}

/** A manifest as a registry keeps it. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Of the bytes; computed, not believed. */
  readonly digest: string;
  /** The registry's ETag, for a conditional write. */
  readonly etag?: string;
}

export const imageManifestType = "application/vnd.oci.image.manifest.v1+json";
export const imageConfigType = "application/vnd.oci.image.config.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";
/** Of a configuration that says nothing, "{}". */
export const emptyType = "application/vnd.oci.empty.v1+json";

/** What a GET of a manifest accepts. */
export const manifestTypes: readonly string[] = [
  imageManifestType,
  indexType,
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

const maxLayers = 1000;

export const sha256Of = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** @throws TypeError when it is no image manifest, or has more than 1000 layers */
export function parseImageManifest(bytes: Uint8Array): ImageManifest {
  const { schemaVersion, config, layers, subject, annotations, ...rest } = objectFrom(bytes);
  if (schemaVersion !== 2 || !isDescriptor(config) || !isDescriptorList(layers)) throw new TypeError("it is no image manifest");
  if (layers.length > maxLayers) throw new TypeError(`it has ${layers.length} layers; more than ${maxLayers} are read by nobody`);
  if (!isAbsent(subject) && !isDescriptor(subject)) throw new TypeError("it names a subject that is no descriptor");
  if (!isAbsent(annotations) && !areAnnotations(annotations)) throw new TypeError("its annotations are no texts");
  return { schemaVersion, ...rest, config, layers, ...(!isAbsent(annotations) && { annotations }), ...(!isAbsent(subject) && { subject }) };
}

/** @throws TypeError when it is no index */
export function parseIndex(bytes: Uint8Array): Index {
  const { schemaVersion, manifests: said, ...rest } = objectFrom(bytes);
  // Registries written in Go call an empty list null.
  const manifests = said === null ? [] : said;
  if (schemaVersion !== 2 || !isDescriptorList(manifests)) throw new TypeError("it is no index");
  return { schemaVersion, ...rest, manifests };
}

function objectFrom(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // Nothing of a stranger's text is repeated.
  }
  throw new TypeError("it is no JSON object");
}

const isDescriptorList = (value: unknown): value is readonly Descriptor[] => Array.isArray(value) && value.every(isDescriptor);

function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== "object" || value === null) return false;
  const { mediaType, size, digest, annotations } = value as Partial<Record<keyof Descriptor, unknown>>;
  return (
    typeof mediaType === "string" &&
    Number.isSafeInteger(size) &&
    typeof digest === "string" &&
    (isDigest(digest) || /^sha512:[0-9a-f]{128}$/.test(digest)) &&
    (isAbsent(annotations) || areAnnotations(annotations))
  );
}

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

const areAnnotations = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
