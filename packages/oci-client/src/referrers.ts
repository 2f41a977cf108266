import type { HttpResponse } from "@countersign/http";
import { type Descriptor, parseIndex, type StoredManifest } from "./manifest.ts";
import { nextPage } from "./next-page.ts";
import { type Asked, refusalFrom } from "./registry-error.ts";

export type Referrer = Descriptor;

export interface ReferrersQuery {
  readonly digest: string;
  readonly artifactType: string | undefined;
  readonly asked: Asked;
  /** "/v2/<repository>". */
  readonly base: string;
  readonly get: (url: string) => Promise<HttpResponse>;
  readonly manifest: (tag: string) => Promise<StoredManifest | undefined>;
}

const maxPages = 20;

/** Distribution specification 1.1, "Listing Referrers": the API, or the index under the tag that the digest gives. */
export async function referrersOf({ digest, artifactType, asked, base, get, manifest }: ReferrersQuery): Promise<readonly Referrer[]> {
  const all: Referrer[] = [];
  const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  let url: string | undefined = `${base}/referrers/${digest}${filter}`;
  for (let page = 0; url && page < maxPages; page += 1) {
    const answer: HttpResponse = await get(url);
    if (answer.status === 404 && page === 0) return fits(await fallback(digest, manifest), artifactType);
    if (answer.status !== 200) throw refusalFrom(asked, answer, "these credentials");
    all.push(...parseIndex(answer.body).manifests);
    url = nextPage(answer.headers["link"]);
  }
  // A registry may leave the filtering to us.
  return fits(all, artifactType);
}

async function fallback(digest: string, manifest: ReferrersQuery["manifest"]): Promise<readonly Referrer[]> {
  const index = await manifest(digest.replace(":", "-"));
  return index ? parseIndex(index.bytes).manifests : [];
}

const fits = (all: readonly Referrer[], artifactType: string | undefined): readonly Referrer[] =>
  all.filter((one) => artifactType === undefined || one.artifactType === artifactType);
