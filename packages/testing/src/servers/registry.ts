import { randomUUID } from "node:crypto";
import { type IncomingMessage, createServer as plainServer, type RequestListener } from "node:http";
import { createServer as secureServer } from "node:https";
import { bodyOf, listening } from "./listening.ts";
import {
  type Answer,
  type Ask,
  blob,
  digestOf,
  find,
  imageManifest,
  kept,
  manifest,
  manifestFrom,
  Refused,
  type Shelf,
  seedImage,
  tagsOf,
} from "./registry-shelf.ts";
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
