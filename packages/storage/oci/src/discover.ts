import { foundInLayer, type Layer } from "@countersign/bundle";
import { type Call, CountersignError, type Found } from "@countersign/core";
import { base64Bytes, parseEnvelope } from "@countersign/in-toto-attestation";
import { type OpenRepository, parseReference, type Repository } from "@countersign/oci-client";
import type { LayerReader } from "./layers.ts";
import { placeOf, uriOf } from "./places.ts";

/** Something attached to an image, as far as it could be read. */
export interface Attached {
  readonly kind: "signature" | "attestation";
  /** "registry/repository:sha256-….att". */
  readonly uri: string;
  /** Of the image. */
  readonly digest: string;
  readonly layer: Layer;
  readonly found: Found;
  /** What was signed: the simplesigning document, or the statement out of the envelope. */
  readonly payload: Uint8Array;
}

export interface Surroundings {
  /** Where signatures are kept instead of beside the image. */
  readonly instead: Repository | undefined;
  readonly reader: LayerReader;
  readonly open: (place: Repository) => Promise<OpenRepository>;
  readonly call: Call;
}

/** @throws CountersignError "store.image-name", "store.image-missing"; RegistryError */
export async function attachedTo(image: string, { instead, reader, open, call }: Surroundings): Promise<readonly Attached[]> {
  const reference = parseReference(image);
  if (!reference)
    throw new CountersignError("store.image-name", `"${image}" names no image; give registry/repository@sha256:…`, { retry: "never" });
  const digest = reference.digest ?? (await (await open(reference)).digestOf(reference.tag ?? "latest", call));
  if (!digest) throw new CountersignError("store.image-missing", `${image}: the registry has no such tag`, { retry: "counted" });
  const home = instead ?? reference;
  const repository = await open(home);
  const attached: Attached[] = [];
  for (const kind of ["sig", "att"] as const) {
    const place = placeOf(home, digest, kind);
    const stored = await repository.manifest(place.tag, call);
    const layers = stored ? await reader.layersOf(repository, stored, call) : [];
    for (const layer of layers) {
      const found = foundInLayer(layer);
      const payload = kind === "sig" ? layer.bytes : payloadIn(layer);
      if (found && payload)
        attached.push({ kind: kind === "sig" ? "signature" : "attestation", uri: uriOf(place), digest, layer, found, payload });
    }
  }
  return attached;
}

function payloadIn({ bytes }: Layer): Uint8Array | undefined {
  try {
    return base64Bytes(parseEnvelope(Buffer.from(bytes).toString("utf8")).payload);
  } catch {
    return undefined;
  }
}
