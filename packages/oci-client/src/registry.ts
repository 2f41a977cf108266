import type { Http, HttpResponse } from "@countersign/http";
import type { Actions } from "./auth.ts";
import { anonymous, type Credential } from "./credential.ts";
import { manifestTypes, type StoredManifest, sha256Of } from "./manifest.ts";
import { nextPage } from "./next-page.ts";
import { isDigest, type Repository, textOf } from "./reference.ts";
import { type Referrer, referrersOf } from "./referrers.ts";
import { type Asked, refusalFrom, unsound } from "./registry-error.ts";
import { type Call, type Entrance, type Step, type Wire, wire } from "./wire.ts";

export interface RegistryOptions {
  readonly http: Http;
  /** Plain http may be tried with any registry, not only with local ones. Default false. */
  readonly insecure?: boolean;
  /** How long one operation may take, retries included. Default 30 s. */
  readonly totalMs?: number;
}

/** All registries: what is learnt of one (scheme, challenge, tokens) is kept as long as this object. */
export interface Registries {
  /** `credentials` are tried in this order until one is let in; none is anonymous. `actions` is what tokens are asked for. */
  open(place: Repository, credentials: readonly Credential[], actions: Actions): OpenRepository;
}

/** One repository, through one set of credentials. Each method throws RegistryError, and the signal's reason on abort. */
export interface OpenRepository {
  readonly place: Repository;
  /** The source of the credentials that were let in last; undefined as long as none were asked for. */
  readonly admitted: string | undefined;
  /** Undefined where there is none of that tag or digest. At most 4 MiB. */
  manifest(tagOrDigest: string, call: Call): Promise<StoredManifest | undefined>;
  /** What a tag points to, as the registry says. */
  digestOf(tag: string, call: Call): Promise<string | undefined>;
  /** Answers the digest. */
  putManifest(tagOrDigest: string, manifest: Omit<StoredManifest, "digest">, call: Call): Promise<string>;
  hasBlob(digest: string, call: Call): Promise<boolean>;
  /** Undefined where there is none. More than maxBytes (16 MiB) is an error. */
  blob(digest: string, call: Call & { readonly maxBytes?: number }): Promise<Uint8Array | undefined>;
  /** Answers the digest. */
  putBlob(bytes: Uint8Array, call: Call): Promise<string>;
  tags(call: Call): Promise<readonly string[]>;
  /** What names this digest as its subject; by the referrers API or, without one, by the fallback tag. */
  referrers(digest: string, call: Call & { readonly artifactType?: string }): Promise<readonly Referrer[]>;
}

const maxManifestBytes = 4 * 2 ** 20;
const maxTagPages = 100;
/** Their names come from users: memory must have an end. */
const maxRegistries = 1000;
/** How registries that do not know the one-request form may put it, when they do not just open a session. */
const wantsSession: ReadonlySet<number> = new Set([400, 404, 405, 411, 413, 415, 422, 501]);
const binary = { "content-type": "application/octet-stream" };

export function registries({ http, insecure = false, totalMs = 30_000 }: RegistryOptions): Registries {
  const through = wire({ http, insecure, totalMs });
  const sessionOnly = new Set<string>();
  return {
    open(place, [first = anonymous, ...more], actions) {
      return openRepository({ place, candidates: [first, ...more], actions, next: 0 }, through, sessionOnly);
    },
  };
}

/** `sessionOnly`: registries that do not take a blob in one request. */
function openRepository(entrance: Entrance, through: Wire, sessionOnly: Set<string>): OpenRepository {
  const { place } = entrance;
  const base = `/v2/${place.repository}`;
  const askedOf = (operation: string, tagOrDigest: string): Asked => {
    const which = tagOrDigest === "" ? {} : isDigest(tagOrDigest) ? { digest: tagOrDigest } : { tag: tagOrDigest };
    return { operation, reference: textOf({ ...place, ...which }) };
  };
  const send = (step: Step): Promise<HttpResponse> => through.send(entrance, step);
  const source = (): string => (entrance.candidates[entrance.next] ?? anonymous).source;
  const accept = { accept: manifestTypes.join(", ") };

  async function manifest(tagOrDigest: string, { signal }: Call): Promise<StoredManifest | undefined> {
    const asked = askedOf("GET manifest", tagOrDigest);
    const answer = await send({ ...asked, signal, url: `${base}/manifests/${tagOrDigest}`, headers: accept, maxBytes: maxManifestBytes });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusalFrom(asked, answer, source());
    const digest = sha256Of(answer.body);
    if (isDigest(tagOrDigest) && digest !== tagOrDigest)
      throw unsound(asked, `the registry gave a manifest with another digest, ${digest}`);
    return { mediaType: (answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "", bytes: answer.body, digest };
  }

  /** In one request where the registry takes that. A blob is named by its digest: to send it twice does no harm, so POST may be repeated. */
  async function putBlob(bytes: Uint8Array, { signal }: Call): Promise<string> {
    const digest = sha256Of(bytes);
    const asked = askedOf("PUT blob", digest);
    const post = (query: string, body: Uint8Array | string): Promise<HttpResponse> =>
      send({ ...asked, signal, method: "POST", url: `${base}/blobs/uploads/${query}`, headers: binary, body, tries: 3 });
    const atOnce = sessionOnly.has(place.registry) ? undefined : await post(`?digest=${digest}`, bytes);
    if (atOnce?.status === 201) return digest;
    if (atOnce && atOnce.status !== 202 && !wantsSession.has(atOnce.status)) throw refusalFrom(asked, atOnce, source());
    const started = atOnce?.status === 202 ? atOnce : await post("", "");
    const session = started.headers["location"];
    if (started.status !== 202 || session === undefined) throw refusalFrom(asked, started, source());
    if (sessionOnly.size >= maxRegistries) sessionOnly.clear();
    sessionOnly.add(place.registry);
    const origin = await through.originOf(place.registry, { ...asked, signal });
    const url = sessionUrl(session, digest, origin, asked);
    const answer = await send({ ...asked, signal, method: "PUT", url, headers: binary, body: bytes, tries: 1 });
    if (answer.status !== 201) throw refusalFrom(asked, answer, source());
    return digest;
  }

  return {
    place,
    get admitted() {
      return entrance.admitted;
    },
    manifest,
    putBlob,
    async digestOf(tag, { signal }) {
      const asked = askedOf("HEAD manifest", tag);
      const answer = await send({ ...asked, signal, method: "HEAD", url: `${base}/manifests/${tag}`, headers: accept });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw refusalFrom(asked, answer, source());
      const said = answer.headers["docker-content-digest"];
      // The header is optional in the specification; the bytes always know.
      return said && isDigest(said) ? said : (await manifest(tag, { signal }))?.digest;
    },
    async putManifest(tagOrDigest, { mediaType, bytes }, { signal }) {
      const asked = askedOf("PUT manifest", tagOrDigest);
      const headers = { "content-type": mediaType };
      const answer = await send({ ...asked, signal, method: "PUT", url: `${base}/manifests/${tagOrDigest}`, headers, body: bytes });
      if (answer.status !== 201 && answer.status !== 200) throw refusalFrom(asked, answer, source());
      return sha256Of(bytes);
    },
    async hasBlob(digest, { signal }) {
      const asked = askedOf("HEAD blob", digest);
      const answer = await send({ ...asked, signal, method: "HEAD", url: `${base}/blobs/${digest}`, redirects: 3 });
      if (answer.status !== 200 && answer.status !== 404) throw refusalFrom(asked, answer, source());
      return answer.status === 200;
    },
    async blob(digest, { signal, maxBytes = 16 * 2 ** 20 }) {
      const asked = askedOf("GET blob", digest);
      const answer = await send({ ...asked, signal, url: `${base}/blobs/${digest}`, maxBytes, redirects: 3 });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw refusalFrom(asked, answer, source());
      if (sha256Of(answer.body) !== digest) throw unsound(asked, "the registry gave a blob with another digest");
      return answer.body;
    },
    async tags({ signal }) {
      const asked = askedOf("GET tags of", "");
      const all: string[] = [];
      let url: string | undefined = `${base}/tags/list`;
      for (let page = 0; url && page < maxTagPages; page += 1) {
        const answer: HttpResponse = await send({ ...asked, signal, url, maxBytes: maxManifestBytes });
        if (answer.status === 404) return all;
        if (answer.status !== 200) throw refusalFrom(asked, answer, source());
        all.push(...tagsFrom(answer.body, asked));
        url = nextPage(answer.headers["link"]);
      }
      return all;
    },
    referrers(digest, { signal, artifactType }) {
      const asked = askedOf("GET referrers of", digest);
      const get = (url: string): Promise<HttpResponse> => send({ ...asked, signal, url, maxBytes: maxManifestBytes });
      return referrersOf({ digest, artifactType, asked, base, get, manifest: (tag) => manifest(tag, { signal }) }).catch((error) =>
        Promise.reject(error instanceof TypeError ? unsound(asked, error.message) : error),
      );
    },
  };
}

/** A registry behind a proxy that ends TLS often names itself with http: that is not followed, credentials would travel in the clear. */
function sessionUrl(location: string, digest: string, origin: string, asked: Asked): string {
  if (!URL.canParse(location, origin)) throw unsound(asked, "the registry names no usable place for the upload");
  const url = new URL(location, origin);
  if (url.host === new URL(origin).host) url.protocol = new URL(origin).protocol;
  if (origin.startsWith("https:") && url.protocol !== "https:")
    throw unsound(asked, `the registry wants the upload sent to ${url.host} without TLS`);
  return `${url.origin}${url.pathname}${url.search}${url.search ? "&" : "?"}digest=${digest}`;
}

function tagsFrom(body: Uint8Array, asked: Asked): readonly string[] {
  try {
    const { tags } = JSON.parse(Buffer.from(body).toString("utf8")) as { tags?: unknown };
    if (tags === null || tags === undefined) return [];
    if (Array.isArray(tags)) return tags.filter((tag): tag is string => typeof tag === "string");
  } catch {
    // Said below.
  }
  throw unsound(asked, "the registry gave no list of tags");
}
