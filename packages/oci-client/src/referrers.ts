import type { HttpResponse } from "@countersign/http";
import { type Descriptor, indexType, parseIndex, type StoredManifest } from "./manifest.ts";
import { nextPage } from "./next-page.ts";
import { type Asked, refusalFrom } from "./registry-error.ts";

export type Referrer = Descriptor;

export interface ReferrersList {
  /** Who keeps the list: the registry, or whoever attaches something, in an index at the fallback tag. */
  readonly keptBy: "registry" | "tag";
  readonly referrers: readonly Referrer[];
  /** What stands at the fallback tag, where that is the list and it was asked for. */
  readonly index: StoredManifest | undefined;
}

export interface ReferrersQuery {
  readonly digest: string;
  readonly artifactType: string | undefined;
  readonly asked: Asked;
  /** "/v2/<repository>". */
  readonly base: string;
  /** The registry is known to have no Referrers API. */
  readonly tagOnly: boolean;
  readonly get: (url: string) => Promise<HttpResponse>;
  /** Undefined: the fallback tag is not asked for. */
  readonly manifest: ((tag: string) => Promise<StoredManifest | undefined>) | undefined;
}

const maxPages = 20;
/** How registries without the API put it: 404 by the specification, and what else is about in the world. */
const refusals: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

/** A web page, and the way to one, is no list either. */
export const hasNoApi = ({ status, headers }: HttpResponse): boolean =>
  refusals.has(status) || (status >= 300 && status < 400) || (status === 200 && !headers["content-type"]?.startsWith(indexType));

/** The tag at which the referrers of a digest are listed where the registry does not list them (distribution specification 1.1). */
export const fallbackTagOf = (digest: string): string => digest.replace(":", "-");

/** Distribution specification 1.1, "Listing Referrers": the API, or the index under the tag that the digest gives. */
export async function referrersOf({ digest, artifactType, asked, base, tagOnly, get, manifest }: ReferrersQuery): Promise<ReferrersList> {
  const listed = tagOnly ? undefined : await fromApi();
  if (listed) return { keptBy: "registry", referrers: fits(listed, artifactType), index: undefined };
  const index = await manifest?.(fallbackTagOf(digest));
  return { keptBy: "tag", referrers: fits(index ? parseIndex(index.bytes).manifests : [], artifactType), index };

  async function fromApi(): Promise<readonly Referrer[] | undefined> {
    const all: Referrer[] = [];
    const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
    let url: string | undefined = `${base}/referrers/${digest}${filter}`;
    for (let page = 0; url && page < maxPages; page += 1) {
      const answer: HttpResponse = await get(url);
      if (page === 0 && hasNoApi(answer)) return undefined;
      if (answer.status !== 200) throw refusalFrom(asked, answer, "these credentials");
      all.push(...parseIndex(answer.body).manifests);
      url = nextPage(answer.headers["link"]);
    }
    return all;
  }
}

/** A registry may leave the filtering to us. */
const fits = (all: readonly Referrer[], artifactType: string | undefined): readonly Referrer[] =>
  all.filter((one) => artifactType === undefined || one.artifactType === artifactType);
