import type { Http, HttpResponse } from "@countersign/http";
import type { Actions } from "./auth.ts";
import { blobUpload } from "./blob-upload.ts";
import { anonymous, type Credential } from "./credential.ts";
import { type Descriptor, indexType, manifestTypes, type StoredManifest, sha256Of } from "./manifest.ts";
import { nextPage } from "./next-page.ts";
import { isDigest, type Repository, textOf } from "./reference.ts";
import { hasNoApi, type Referrer, type ReferrersList, referrersOf } from "./referrers.ts";
import { type Asked, refusalFrom, unsound } from "./registry-error.ts";
import { type Call, type Entrance, type Step, type Wire, wire } from "./wire.ts";

export interface RegistryOptions {
  readonly http: Http;
  /** Plain http may be tried with any registry (true), or with those of this list alone (hosts, "*.domain", ranges). Default: with local ones. */
  readonly insecure?: boolean | readonly string[];
  /** How long one request may take until its answer begins, and the answer may be silent. Default 10 s. */
  readonly requestMs?: number;
  /** How long one operation may take, retries included. Default 30 s. */
  readonly totalMs?: number;
  /** A larger manifest or list is an error. Default 4 MiB. */
  readonly maxManifestBytes?: number;
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
  /** Undefined where there is none of that tag or digest. */
  manifest(tagOrDigest: string, call: Call): Promise<StoredManifest | undefined>;
  /** What a tag points to, as the registry says. */
  digestOf(tag: string, call: Call): Promise<string | undefined>;
  /** Media type, size and digest of what a tag or digest names, without fetching it where the registry says all three. */
  describe(tagOrDigest: string, call: Call): Promise<Descriptor | undefined>;
  /** Answers the digest. */
  putManifest(tagOrDigest: string, manifest: ManifestText, call: Call & PutOptions): Promise<string>;
  /**
   * A manifest that names a subject, by its digest. listed: the registry says that it lists it among the subject's referrers; where it does
   * not say so, list them, and write the fallback tag where there is no API.
   */
  putReferrer(manifest: ManifestText, call: Call): Promise<{ readonly digest: string; readonly listed: boolean }>;
  hasBlob(digest: string, call: Call): Promise<boolean>;
  /** Undefined where there is none. More than maxBytes (16 MiB) is an error. */
  blob(digest: string, call: Call & { readonly maxBytes?: number }): Promise<Uint8Array | undefined>;
  /** Answers the digest. */
  putBlob(bytes: Uint8Array, call: Call): Promise<string>;
  tags(call: Call): Promise<readonly string[]>;
  /** What names this digest as its subject; by the referrers API or, without one, by the fallback tag. */
  referrers(digest: string, call: ReferrersCall): Promise<readonly Referrer[]>;
  /** The same, and who keeps that list. apiOnly: where the registry does not, nothing is listed, the fallback tag is not read. */
  listReferrers(digest: string, call: ReferrersCall & { readonly apiOnly?: boolean }): Promise<ReferrersList>;
}

export type ManifestText = Pick<StoredManifest, "mediaType" | "bytes">;
export type ReferrersCall = Call & { readonly artifactType?: string };

export interface PutOptions {
  /** Only over what had this ETag; a registry that minds it answers 412 otherwise, the others pay no attention. */
  readonly ifMatch?: string | undefined;
  /** Default 3. A write that must not come late (somebody else wrote meanwhile) is tried once. */
  readonly tries?: number;
}

const maxTagPages = 100;
/** Their names come from users: memory must have an end. */
const maxRegistries = 1000;

export function registries(options: RegistryOptions): Registries {
  const { http, insecure = false, requestMs = 10_000, totalMs = 30_000, maxManifestBytes = 4 * 2 ** 20 } = options;
  const through = wire({ http, insecure, requestMs, totalMs });
  const manners: Manners = { maxManifestBytes, sessionOnly: new Set(), tagOnly: new Map() };
  return {
    open(place, [first = anonymous, ...more], actions) {
      return openRepository({ place, candidates: [first, ...more], actions, next: 0 }, through, manners);
    },
  };
}

/** What was learnt of registries, by host. */
interface Manners {
  readonly maxManifestBytes: number;
  /** They do not take a blob in one request. */
  readonly sessionOnly: Set<string>;
  /** They have no Referrers API; until when that is believed, since registries get updates (milliseconds, performance.now). */
  readonly tagOnly: Map<string, number>;
}

const tagOnlyMs = 10 * 60_000;

function openRepository(entrance: Entrance, through: Wire, { maxManifestBytes, sessionOnly, tagOnly }: Manners): OpenRepository {
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
    const { etag } = answer.headers;
    return { mediaType: typeFrom(answer), bytes: answer.body, digest, ...(etag && { etag }) };
  }

  async function put(
    tagOrDigest: string,
    { mediaType, bytes }: ManifestText,
    { signal, ifMatch, tries }: Call & PutOptions,
  ): Promise<HttpResponse> {
    const asked = askedOf("PUT manifest", tagOrDigest);
    const headers = { "content-type": mediaType, ...(ifMatch && { "if-match": ifMatch }) };
    const url = `${base}/manifests/${tagOrDigest}`;
    const answer = await send({ ...asked, signal, method: "PUT", url, headers, body: bytes, ...(tries && { tries }) });
    // Whoever stands in between may answer anything with 200; a registry that does so says at least what it took.
    const isTaken = answer.status === 201 || (answer.status === 200 && answer.headers["docker-content-digest"] === sha256Of(bytes));
    if (!isTaken) throw refusalFrom(asked, answer, source());
    return answer;
  }

  async function headOf(tagOrDigest: string, { signal }: Call): Promise<Partial<Descriptor> | undefined> {
    const asked = askedOf("HEAD manifest", tagOrDigest);
    const answer = await send({ ...asked, signal, method: "HEAD", url: `${base}/manifests/${tagOrDigest}`, headers: accept });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusalFrom(asked, answer, source());
    const { "docker-content-digest": digest = "", "content-length": size = "" } = answer.headers;
    const mediaType = typeFrom(answer);
    return { ...(mediaType && { mediaType }), ...(/^\d+$/.test(size) && { size: Number(size) }), ...(isDigest(digest) && { digest }) };
  }

  async function listReferrers(
    digest: string,
    { signal, artifactType, apiOnly }: ReferrersCall & { readonly apiOnly?: boolean },
  ): Promise<ReferrersList> {
    const asked = askedOf("GET referrers of", digest);
    const known = (tagOnly.get(place.registry) ?? 0) > performance.now();
    const get = async (url: string): Promise<HttpResponse> => {
      const answer = await send({ ...asked, signal, url, headers: { accept: indexType }, maxBytes: maxManifestBytes });
      // A registry that does not know the repository says nothing about its manners.
      if (hasNoApi(answer) && !/NAME_UNKNOWN/.test(Buffer.from(answer.body).toString("latin1", 0, 4_096))) {
        if (tagOnly.size >= maxRegistries) tagOnly.clear();
        tagOnly.set(place.registry, performance.now() + tagOnlyMs);
      }
      return answer;
    };
    try {
      const fallback = apiOnly ? undefined : (tag: string): Promise<StoredManifest | undefined> => manifest(tag, { signal });
      return await referrersOf({ digest, artifactType, asked, base, tagOnly: known, get, manifest: fallback });
    } catch (error) {
      throw error instanceof TypeError ? unsound(asked, error.message) : error;
    }
  }

  const putBlob = blobUpload({ place, askedOf, send, source, originOf: through.originOf, sessionOnly });

  return {
    place,
    get admitted() {
      return entrance.admitted;
    },
    manifest,
    putBlob,
    // The headers of a HEAD are optional in the specification; the bytes always know.
    async describe(tagOrDigest, call) {
      const head = await headOf(tagOrDigest, call);
      if (!head) return undefined;
      const { mediaType, size, digest } = head;
      if (mediaType && size !== undefined && digest) return { mediaType, size, digest };
      const stored = await manifest(tagOrDigest, call);
      return stored && { mediaType: stored.mediaType, size: stored.bytes.length, digest: stored.digest };
    },
    async digestOf(tag, call) {
      const head = await headOf(tag, call);
      return head && (head.digest ?? (await manifest(tag, call))?.digest);
    },
    listReferrers,
    async putManifest(tagOrDigest, text, call) {
      await put(tagOrDigest, text, call);
      return sha256Of(text.bytes);
    },
    async putReferrer(text, call) {
      const digest = sha256Of(text.bytes);
      const { headers } = await put(digest, text, call);
      return { digest, listed: isDigest(headers["oci-subject"] ?? "") };
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
    async referrers(digest, call) {
      return (await listReferrers(digest, call)).referrers;
    },
  };
}

const typeFrom = ({ headers }: HttpResponse): string => (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";

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
