import { createHash, randomUUID } from "node:crypto";
import { type IncomingMessage, createServer as plainServer, type RequestListener } from "node:http";
import { createServer as secureServer } from "node:https";
import { bodyOf, listening } from "./listening.ts";
import { type GuardOptions, tokenGuard } from "./token-guard.ts";

export interface RegistryOptions {
  /** The Referrers API of OCI distribution 1.1. Default true. */
  readonly referrers?: boolean;
  /** Take a whole blob in one POST. Default true; without it the POST opens an upload, as the specification allows. */
  readonly monolithic?: boolean;
  readonly auth?: GuardOptions;
  /** PEM; without it the registry speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly port?: number;
}

export interface RegistryRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
}

export interface Registry {
  /** "127.0.0.1:40123". */
  readonly host: string;
  readonly url: string;
  readonly seen: readonly RegistryRequest[];
  /** What a tag or digest names just now. */
  manifest(
    repository: string,
    reference: string,
  ): { readonly mediaType: string; readonly digest: string; readonly bytes: Uint8Array } | undefined;
  tags(repository: string): readonly string[];
  /** Stores an image of one empty layer and answers its digest. */
  seedImage(repository: string, tag?: string): string;
  close(): Promise<void>;
}

interface Stored {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

interface Shelf {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, string>;
}

/** A request about one repository. */
interface Ask {
  readonly method: string;
  readonly contentType: string | undefined;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly repository: string;
  readonly shelf: Shelf;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const imageManifest = "application/vnd.oci.image.manifest.v1+json";

/** An OCI registry in memory: blobs, uploads, manifests, tags, deletion, referrers. */
export async function registry(options: RegistryOptions = {}): Promise<Registry> {
  const { referrers = true, monolithic = true } = options;
  const guard = options.auth && tokenGuard(options.auth);
  const shelves = new Map<string, Shelf>();
  const uploads = new Map<string, Buffer>();
  const seen: RegistryRequest[] = [];

  const listener: RequestListener = async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const method = request.method ?? "GET";
    try {
      const body = await bodyOf(request);
      const { status, headers, body: said = "" } = guard?.check(request, body.toString("latin1")) ?? answerTo(method, url, request, body);
      seen.push({ method, path: url.pathname, status });
      const length = { "content-length": `${Buffer.byteLength(said)}` };
      response.writeHead(status, { ...length, ...headers }).end(method === "HEAD" ? undefined : said);
    } catch (error) {
      // Its client has gone.
      if (!response.writable) return;
      response.destroy(error as Error);
    }
  };
  const server = options.tls ? secureServer(options.tls, listener) : plainServer(listener);
  const { host, close } = await listening(server, options.port);
  return {
    host,
    url: `${options.tls ? "https" : "http"}://${host}`,
    seen,
    manifest: (repository, reference) => find(shelfOf(repository), reference),
    tags: (repository) => [...shelfOf(repository).tags.keys()].sort(),
    seedImage: (repository, tag) => seedImage(shelfOf(repository), tag),
    close,
  };

  function shelfOf(repository: string): Shelf {
    const shelf = shelves.get(repository) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    shelves.set(repository, shelf);
    return shelf;
  }

  function answerTo(method: string, url: URL, request: IncomingMessage, body: Buffer): Answer {
    if (/^\/v2\/?$/.test(url.pathname)) return { status: 200, body: "{}" };
    const [, repository, what, rest = ""] =
      /^\/v2\/([a-z0-9][a-z0-9._/-]*?)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    try {
      if (repository === undefined) throw new Refused(404, "NAME_INVALID");
      const contentType = request.headers["content-type"];
      const ask = { method, contentType, query: url.searchParams, body, repository, shelf: shelfOf(repository) };
      if (what === "manifests") return method === "PUT" ? putManifest(ask, rest) : manifest(ask, rest);
      if (what === "referrers") return referrersOf(ask, rest);
      if (what === "tags") return tagsOf(ask);
      return rest.startsWith("uploads/") ? upload(ask, rest.slice("uploads/".length)) : blob(ask, rest);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const said = JSON.stringify({ errors: [{ code: error.message, message: "refused" }] });
      return { status: error.status, headers: { "content-type": "application/json" }, body: said };
    }
  }

  function upload(ask: Ask, id: string): Answer {
    const digest = ask.query.get("digest");
    if (ask.method === "POST") {
      const mounted = ask.query.get("mount") ?? "";
      const lent = shelfOf(ask.query.get("from") ?? ask.repository).blobs.get(mounted);
      if (lent) return kept(ask, mounted, lent);
      return digest !== null && monolithic ? kept(ask, digest, ask.body) : more(ask, randomUUID(), Buffer.alloc(0));
    }
    const soFar = uploads.get(id);
    if (soFar === undefined) throw new Refused(404, "BLOB_UPLOAD_UNKNOWN");
    const all = Buffer.concat([soFar, ask.body]);
    if (ask.method === "PATCH") return more(ask, id, all);
    if (ask.method !== "PUT" || digest === null) throw new Refused(400, "DIGEST_INVALID");
    const answer = kept(ask, digest, all);
    uploads.delete(id);
    return answer;
  }

  function more({ repository }: Ask, id: string, bytes: Buffer): Answer {
    uploads.set(id, bytes);
    const headers = { location: `/v2/${repository}/blobs/uploads/${id}`, range: `0-${Math.max(0, bytes.length - 1)}` };
    return { status: 202, headers };
  }

  function putManifest({ contentType, body, repository, shelf }: Ask, reference: string): Answer {
    const digest = digestOf(body);
    if (reference.startsWith("sha256:") && reference !== digest) throw new Refused(400, "DIGEST_INVALID");
    const { mediaType, subject, config, layers = [], blobs = [] } = manifestFrom(body);
    const missing = [config, ...layers, ...blobs].find((part) => part && !shelf.blobs.has(part.digest));
    if (missing) throw new Refused(404, "MANIFEST_BLOB_UNKNOWN");
    shelf.manifests.set(digest, { mediaType: contentType ?? mediaType ?? imageManifest, digest, bytes: body });
    if (!reference.startsWith("sha256:")) shelf.tags.set(reference, digest);
    const listed = subject && referrers ? { "oci-subject": subject.digest } : {};
    return { status: 201, headers: { location: `/v2/${repository}/manifests/${digest}`, "docker-content-digest": digest, ...listed } };
  }

  function referrersOf({ shelf, query }: Ask, digest: string): Answer {
    if (!referrers) throw new Refused(404, "UNSUPPORTED");
    const wanted = query.get("artifactType");
    const manifests = [...shelf.manifests.values()].flatMap((stored) => {
      const { subject, artifactType, config, annotations } = manifestFrom(stored.bytes);
      const type = artifactType ?? config?.mediaType;
      if (subject?.digest !== digest || (wanted !== null && wanted !== type)) return [];
      return [{ mediaType: stored.mediaType, digest: stored.digest, size: stored.bytes.length, artifactType: type, annotations }];
    });
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const filtered = wanted === null ? {} : { "oci-filters-applied": "artifactType" };
    return {
      status: 200,
      headers: { "content-type": mediaType, ...filtered },
      body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
    };
  }
}

interface Manifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly subject?: { readonly digest: string };
  readonly config?: { readonly mediaType: string; readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly blobs?: readonly { readonly digest: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

function manifestFrom(bytes: Buffer): Manifest {
  try {
    return JSON.parse(bytes.toString("utf8")) as Manifest;
  } catch {
    throw new Refused(400, "MANIFEST_INVALID");
  }
}

const find = (shelf: Shelf, reference: string): Stored | undefined => shelf.manifests.get(shelf.tags.get(reference) ?? reference);

function manifest({ method, shelf }: Ask, reference: string): Answer {
  const stored = find(shelf, reference);
  if (stored === undefined) throw new Refused(404, "MANIFEST_UNKNOWN");
  if (method !== "DELETE") return content(stored.mediaType, stored.digest, stored.bytes);
  if (shelf.tags.delete(reference)) return { status: 202 };
  shelf.manifests.delete(stored.digest);
  for (const [tag, digest] of shelf.tags) if (digest === stored.digest) shelf.tags.delete(tag);
  return { status: 202 };
}

function blob({ method, shelf }: Ask, digest: string): Answer {
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

function kept({ repository, shelf }: Ask, digest: string, bytes: Buffer): Answer {
  if (digest !== digestOf(bytes)) throw new Refused(400, "DIGEST_INVALID");
  shelf.blobs.set(digest, bytes);
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest } };
}

function tagsOf({ repository, shelf, query }: Ask): Answer {
  if (shelf.manifests.size === 0 && shelf.blobs.size === 0) throw new Refused(404, "NAME_UNKNOWN");
  const all = [...shelf.tags.keys()].sort().filter((tag) => tag > (query.get("last") ?? ""));
  const size = Number(query.get("n") ?? 0) || all.length;
  const tags = all.slice(0, size);
  const next = tags.length < all.length ? { link: `</v2/${repository}/tags/list?n=${size}&last=${tags.at(-1)}>; rel="next"` } : {};
  return { status: 200, headers: { "content-type": "application/json", ...next }, body: JSON.stringify({ name: repository, tags }) };
}

function seedImage(shelf: Shelf, tag = "latest"): string {
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
