import { foundInLayer, type Layer } from "@countersign/bundle";
import { type Call, CountersignError, type Found } from "@countersign/core";
import { base64Bytes, inTotoPayloadType, parseEnvelope } from "@countersign/in-toto-attestation";
import { type Descriptor, type OpenRepository, parseReference, type Repository, sha256Of, textOf } from "@countersign/oci-client";
import { predicateTypeKey } from "./bundles.ts";
import type { LayerReader } from "./layers.ts";
import { placeOf, signV1PredicateType, uriOf } from "./places.ts";

/** Something attached to an image, as far as it could be read. */
export interface Attached {
  readonly kind: "signature" | "attestation";
  /** A layer of a `.sig` or `.att` tag, or a bundle in a manifest that names the image as its subject. */
  readonly layout: "tag" | "referrer";
  /** "registry/repository:sha256-….att", or "registry/repository@sha256:…" of the referrer. */
  readonly uri: string;
  /** Of the image. */
  readonly digest: string;
  /** The blob that holds it: envelope, simplesigning document or bundle. */
  readonly blob: Pick<Descriptor, "mediaType" | "size" | "digest">;
  /** As it lies in a tag. */
  readonly layer?: Layer;
  /** What the statement says it is, undefined where it is no statement. Nothing here has been verified. */
  readonly predicateType?: string;
  /** Signature, certificate, and the words of logs and timestamp authorities. */
  readonly found: Found;
  /** What was signed: the simplesigning document, or the statement out of the envelope. */
  readonly payload: Uint8Array;
  /** Media type of the payload; with envelope "dsse" it is part of what was signed. */
  readonly payloadType: string;
  readonly envelope: "dsse" | "none";
  /** Which key a bundle without certificate names: with us and cosign base64 of the SHA-256 over its SPKI. */
  readonly hint?: string;
}

export interface Surroundings {
  /** Where signatures are kept instead of beside the image; bundles always lie beside it. */
  readonly instead: Repository | undefined;
  readonly reader: LayerReader;
  readonly open: (place: Repository) => Promise<OpenRepository>;
  readonly call: Call;
}

/** Signatures first, then attestations, each from the tag first. @throws CountersignError "store.image-name", "store.image-missing"; RegistryError */
export async function attachedTo(image: string, surroundings: Surroundings): Promise<readonly Attached[]> {
  const { open, call, instead } = surroundings;
  const reference = parseReference(image);
  if (!reference)
    throw new CountersignError("store.image-name", `"${image}" names no image; give registry/repository@sha256:…`, { retry: "never" });
  const beside = await open(reference);
  const digest = reference.digest ?? (await beside.digestOf(reference.tag ?? "latest", call));
  if (!digest) throw new CountersignError("store.image-missing", `${image}: the registry has no such tag`, { retry: "counted" });
  const tagged = await inTags(instead ? await open(instead) : beside, digest, surroundings);
  const bundled = await inBundles(beside, digest, surroundings);
  const all = [...tagged, ...bundled];
  return (["signature", "attestation"] as const).flatMap((kind) => all.filter((one) => one.kind === kind));
}

async function inTags(repository: OpenRepository, digest: string, { reader, call }: Surroundings): Promise<readonly Attached[]> {
  const attached: Attached[] = [];
  for (const suffix of ["sig", "att"] as const) {
    const place = placeOf(repository.place, digest, suffix);
    const stored = await repository.manifest(place.tag, call);
    const layers = stored ? await reader.layersOf(repository, stored, call) : [];
    for (const layer of layers) {
      const found = foundInLayer(layer);
      const read = suffix === "sig" ? { payload: layer.bytes, payloadType: layer.mediaType } : payloadIn(layer);
      if (!found || !read) continue;
      const { mediaType, bytes } = layer;
      attached.push({
        ...{ kind: suffix === "sig" ? "signature" : "attestation", layout: "tag", uri: uriOf(place), digest, layer },
        blob: { mediaType, size: bytes.length, digest: sha256Of(bytes) },
        ...(suffix === "att" && typed(read.payload)),
        ...{ found, ...read, envelope: suffix === "sig" ? "none" : "dsse" },
      });
    }
  }
  return attached;
}

async function inBundles(repository: OpenRepository, digest: string, { reader, call }: Surroundings): Promise<readonly Attached[]> {
  const bundles = await reader.bundlesOf(repository, await repository.referrers(digest, call), call);
  return bundles.map(({ found, payload, payloadType, hint, referrer, manifest, layer }) => {
    const said = payloadType === inTotoPayloadType ? typed(payload) : {};
    const isSignature = (said.predicateType ?? manifest.annotations?.[predicateTypeKey]) === signV1PredicateType;
    return {
      ...{ kind: isSignature ? "signature" : "attestation", layout: "referrer", digest },
      uri: textOf({ ...repository.place, digest: referrer.digest }),
      blob: { mediaType: layer.mediaType, size: layer.size, digest: layer.digest },
      ...said,
      ...{ found, payload, payloadType, envelope: "dsse" },
      ...(hint !== undefined && { hint }),
    };
  });
}

function payloadIn({ bytes }: Layer): Pick<Attached, "payload" | "payloadType"> | undefined {
  try {
    const { payload: text, payloadType } = parseEnvelope(Buffer.from(bytes).toString("utf8"));
    const payload = base64Bytes(text);
    return payload && { payload, payloadType };
  } catch {
    return undefined;
  }
}

function typed(payload: Uint8Array): Pick<Attached, "predicateType"> {
  try {
    const { predicateType } = JSON.parse(Buffer.from(payload).toString("utf8")) as { predicateType?: unknown };
    return typeof predicateType === "string" ? { predicateType } : {};
  } catch {
    return {};
  }
}
