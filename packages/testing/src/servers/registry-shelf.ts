import { createHash, randomUUID } from "node:crypto";

export interface Stored {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** What one repository holds. */
export interface Shelf {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, string>;
}

/** A request about one repository. */
export interface Ask {
  readonly method: string;
  readonly contentType: string | undefined;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly repository: string;
  readonly shelf: Shelf;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export class Refused extends Error {
  readonly status: number;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export const imageManifest: string = "application/vnd.oci.image.manifest.v1+json";

export interface Manifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly subject?: { readonly digest: string };
  readonly config?: { readonly mediaType: string; readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly blobs?: readonly { readonly digest: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export function manifestFrom(bytes: Buffer): Manifest {
  try {
    return JSON.parse(bytes.toString("utf8")) as Manifest;
  } catch {
    throw new Refused(400, "MANIFEST_INVALID");
  }
}

export const find = (shelf: Shelf, reference: string): Stored | undefined => shelf.manifests.get(shelf.tags.get(reference) ?? reference);

export function manifest({ method, shelf }: Ask, reference: string): Answer {
  const stored = find(shelf, reference);
  if (stored === undefined) throw new Refused(404, "MANIFEST_UNKNOWN");
  if (method !== "DELETE") return content(stored.mediaType, stored.digest, stored.bytes);
  if (shelf.tags.delete(reference)) return { status: 202 };
  shelf.manifests.delete(stored.digest);
  for (const [tag, digest] of shelf.tags) if (digest === stored.digest) shelf.tags.delete(tag);
  return { status: 202 };
}

export function blob({ method, shelf }: Ask, digest: string): Answer {
  const bytes = shelf.blobs.get(digest);
  if (bytes === undefined) throw new Refused(404, "BLOB_UNKNOWN");
  if (method !== "DELETE") return content("application/octet-stream", digest, bytes);
  shelf.blobs.delete(digest);
  return { status: 202 };
}

const content = (type: string, digest: string, body: Buffer): Answer => ({
  status: 200,
  headers: { "content-type": type, "docker-content-digest": digest },
  body,
});

export function kept({ repository, shelf }: Ask, digest: string, bytes: Buffer): Answer {
  if (digest !== digestOf(bytes)) throw new Refused(400, "DIGEST_INVALID");
  shelf.blobs.set(digest, bytes);
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest } };
}

export function tagsOf({ repository, shelf, query }: Ask): Answer {
  if (shelf.manifests.size === 0 && shelf.blobs.size === 0) throw new Refused(404, "NAME_UNKNOWN");
  const all = [...shelf.tags.keys()].sort().filter((tag) => tag > (query.get("last") ?? ""));
  const size = Number(query.get("n") ?? 0) || all.length;
  const tags = all.slice(0, size);
  const next = tags.length < all.length ? { link: `</v2/${repository}/tags/list?n=${size}&last=${tags.at(-1)}>; rel="next"` } : {};
  return { status: 200, headers: { "content-type": "application/json", ...next }, body: JSON.stringify({ name: repository, tags }) };
}

export function seedImage(shelf: Shelf, tag = "latest"): string {
  const put = (bytes: Buffer, mediaType: string): { mediaType: string; digest: string; size: number } => {
    shelf.blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const config = put(
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", made: randomUUID() })),
    "application/vnd.oci.image.config.v1+json",
  );
  const layers = [put(Buffer.alloc(0), "application/vnd.oci.image.layer.v1.tar")];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: imageManifest, config, layers }));
  shelf.manifests.set(digestOf(bytes), { mediaType: imageManifest, digest: digestOf(bytes), bytes });
  shelf.tags.set(tag, digestOf(bytes));
  return digestOf(bytes);
}
