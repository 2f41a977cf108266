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

/** How attestations lie beside an image: as layers of cosign's tags, or as sigstore bundles among its referrers. */
export type Layout = "tags" | "bundles";

/** An image, by repository and digest. */
export interface ImageAt extends Repository {
  readonly kind: "image";
  /** "sha256:<hex>". */
  readonly digest: string;
}

/**
 * The tags to which a payload belongs: a statement at each subject that is an image, an image signature at its image; nothing else belongs
 * to a registry. `instead` replaces registry and repository of every image.
 *
 * @throws CountersignError "store.image-name" when an image signature names none
 */
export function placesOf(payload: Payload, instead: Repository | undefined): readonly Place[] {
  const kind = tagKindOf(payload);
  const places = kind ? imagesIn(payload, kind === "sig").map((image) => placeOf(instead ?? image, image.digest, kind)) : [];
  return [...new Map(places.map((place) => [uriOf(place), place])).values()];
}

/** The images to which a payload belongs as a bundle: it must have an envelope, or no verifier accepts it. @throws as placesOf */
export function bundleImagesOf(payload: Payload): readonly ImageAt[] {
  const images = payload.envelope === "dsse" ? imagesIn(payload, payload.predicateType === signV1PredicateType) : [];
  return [...new Map(images.map((image) => [textOf(image), image])).values()];
}

/** The statement by which cosign signs an image in a bundle: in a `.att` tag it would be taken for an attestation. */
export const signV1PredicateType = "https://sigstore.dev/cosign/sign/v1";

function tagKindOf({ envelope, mediaType, predicateType }: Payload): TagKind | undefined {
  if (envelope === "dsse") return predicateType === signV1PredicateType ? undefined : "att";
  return mediaType === simplesigningMediaType ? "sig" : undefined;
}

function imagesIn({ subjects }: Payload, isSignature: boolean): readonly ImageAt[] {
  return subjects.flatMap((subject) => {
    const image = imageOf(subject);
    if (!image && isSignature) throw nameless(subject);
    return image ? [image] : [];
  });
}

/**
 * A name with its registry and a sha256. Type hints always name the registry; a bare word ("app.jar") is some other thing that was built,
 * not an image of Docker Hub.
 */
function imageOf({ name, digest }: Subject): ImageAt | undefined {
  const sha256 = `sha256:${digest["sha256"] ?? ""}`;
  const [host = ""] = name.split("/");
  if (!isDigest(sha256) || !name.includes("/") || !(/[.:]/.test(host) || host === "localhost")) return undefined;
  const reference = parseReference(`${name}@${sha256}`);
  return reference && { kind: "image", registry: reference.registry, repository: reference.repository, digest: sha256 };
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
