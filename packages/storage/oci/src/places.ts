import { simplesigningMediaType } from "@countersign/bundle";
import { CountersignError, type Payload, type Subject } from "@countersign/core";
import { isDigest, parseReference, type Repository, textOf } from "@countersign/oci-client";

export type TagKind = "sig" | "att";

/** A tag beside an image: `sha256-<hex>.sig` for signatures of it, `.att` for statements about it. */
export interface Place extends Repository {
  readonly kind: TagKind;
  readonly tag: string;
}

export const placeOf = ({ registry, repository }: Repository, digest: string, kind: TagKind): Place => ({
  registry,
  repository,
  kind,
  tag: `${digest.replace(":", "-")}.${kind}`,
});

export const uriOf = (place: Place): string => textOf(place);

/**
 * Where a payload belongs: a statement at each subject that is an image, an image signature at its image; nothing else belongs to a
 * registry. `instead` replaces registry and repository of every image.
 *
 * @throws CountersignError "store.image-name" when an image signature names none
 */
export function placesOf({ envelope, mediaType, subjects }: Payload, instead: Repository | undefined): readonly Place[] {
  const kind = envelope === "dsse" ? "att" : mediaType === simplesigningMediaType ? "sig" : undefined;
  if (!kind) return [];
  const places = subjects.flatMap((subject) => {
    const image = imageOf(subject);
    if (!image && kind === "sig") throw nameless(subject);
    return image ? [placeOf(instead ?? image, image.digest, kind)] : [];
  });
  return [...new Map(places.map((place) => [uriOf(place), place])).values()];
}

/**
 * A name with its registry and a sha256. Type hints always name the registry; a bare word ("app.jar") is some other thing that was built,
 * not an image of Docker Hub.
 */
function imageOf({ name, digest }: Subject): (Repository & { readonly digest: string }) | undefined {
  const sha256 = `sha256:${digest["sha256"] ?? ""}`;
  const [host = ""] = name.split("/");
  if (!isDigest(sha256) || !name.includes("/") || !(/[.:]/.test(host) || host === "localhost")) return undefined;
  const reference = parseReference(`${name}@${sha256}`);
  return reference && { registry: reference.registry, repository: reference.repository, digest: sha256 };
}

const nameless = ({ name }: Subject): CountersignError =>
  new CountersignError(
    "store.image-name",
    `"${printable(name)}" with its digest names no image in a registry; fix the run's IMAGE_URL or IMAGE_DIGEST`,
    {
      retry: "never",
    },
  );

/** Names come from a run's results. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 256);
