import { sameBytes, sha256, sigstoreBundle, sigstoreBundleMediaType } from "@countersign/bundle";
import type { Attestation, Call, Found, Payload } from "@countersign/core";
import {
  type Descriptor,
  emptyType,
  fallbackTagOf,
  type Index,
  imageManifestType,
  indexType,
  type OpenRepository,
  parseIndex,
  RegistryError,
  type StoredManifest,
  sha256Of,
  textOf,
} from "@countersign/oci-client";
import { type Acquaintance, emptyConfig } from "./acquaintance.ts";
import type { LayerReader } from "./layers.ts";
import type { ImageAt } from "./places.ts";
import { type KeepOptions, kept, type SharedTag } from "./shared-tag.ts";

export const contentKey = "dev.sigstore.bundle.content";
export const predicateTypeKey = "dev.sigstore.bundle.predicateType";
const createdKey = "org.opencontainers.image.created";

export interface BundleOptions extends KeepOptions {
  readonly reader: LayerReader;
  readonly now: () => Date;
  readonly known: Acquaintance;
}

export interface StoredBundle {
  /** Of the manifest that holds it. */
  readonly digest: string;
  /** What stands at the fallback tag now, where that is the list of referrers. */
  readonly index?: StoredManifest;
}

/**
 * An attestation as one sigstore bundle that refers to its image, as cosign 3 attaches it: stored once, whatever is beside it.
 *
 * @throws CountersignError "store.image-missing", "store.contended"; RegistryError
 */
export async function storeBundle(
  repository: OpenRepository,
  image: ImageAt,
  attestation: Attestation,
  { reader, now, known, ...options }: BundleOptions,
): Promise<StoredBundle> {
  const { inTime } = options;
  const [subject, listed] = await inTime((call) =>
    Promise.all([known.subject(repository, image, call), known.listed(repository, image, call)]),
  );
  const piece = pieceFrom(attestation, subject, now(), async (referrers, call) => {
    const found = await foundInBundles(referrers, attestation.payload, repository, reader, call);
    return found.find((one) => isSame(one, attestation))?.manifest;
  });
  const bring = async (call: Call): Promise<boolean> => {
    await Promise.all([known.empty(repository, call), repository.putBlob(piece.bundle, call)]);
    const { listed } = await repository.putReferrer({ mediaType: imageManifestType, bytes: piece.manifest }, call).catch((error) => {
      // Perhaps the registry has thrown away what we believe is there.
      known.forget(repository, image);
      throw error;
    });
    for (const one of [piece.bundle, piece.manifest]) reader.keep(repository.place, one);
    return listed;
  };
  if (listed && (await inTime((call) => isHeld(listed, piece, call)))) return storedAs(piece);
  const isListed =
    listed !== undefined &&
    (await inTime(
      async (call) =>
        (await bring(call)) || (await repository.referrers(image.digest, call)).some(({ digest }) => digest === piece.descriptor.digest),
    ));
  if (isListed) return storedAs(piece);
  const brought = listed !== undefined;
  const mine = { piece, bring: async (_: unknown, call: Call): Promise<unknown> => brought || bring(call) };
  return storedAs(piece, await kept(repository, indexAt(repository, image), mine, options));
}

interface BundlePiece {
  readonly bundle: Uint8Array;
  readonly manifest: Uint8Array;
  /** Of the manifest, for the fallback index. */
  readonly descriptor: Descriptor;
  /** The digest of a manifest among these that holds the same already. */
  readonly twinAmong: (referrers: readonly Descriptor[], call: Call) => Promise<string | undefined>;
  twin: string | undefined;
}

async function isHeld(referrers: readonly Descriptor[], piece: BundlePiece, call: Call): Promise<boolean> {
  if (referrers.some(({ digest }) => digest === piece.descriptor.digest)) return true;
  piece.twin = await piece.twinAmong(referrers, call);
  return piece.twin !== undefined;
}

function pieceFrom(attestation: Attestation, subject: Descriptor, created: Date, twinAmong: BundlePiece["twinAmong"]): BundlePiece {
  const bundle = Buffer.from(sigstoreBundle(attestation));
  const manifest = manifestText(attestation.payload, bundle, subject, created);
  return { bundle, manifest, descriptor: descriptorFrom(manifest), twinAmong, twin: undefined };
}

const storedAs = ({ twin, descriptor }: BundlePiece, index?: StoredManifest): StoredBundle => ({
  digest: twin ?? descriptor.digest,
  ...(index && { index }),
});

/** Every signature over this predicate type that lies beside the image as a bundle. */
export async function foundInBundles(
  referrers: readonly Descriptor[],
  payload: Payload,
  repository: OpenRepository,
  reader: LayerReader,
  call: Call,
): Promise<readonly (Found & { readonly manifest: string })[]> {
  const all = await reader.bundlesOf(
    repository,
    referrers.filter((referrer) => mayHold(referrer, payload)),
    call,
  );
  return all.map(({ found, referrer }) => ({ ...found, manifest: referrer.digest }));
}

/** By its annotations, where the list has them: cosign's fallback index has none, and gives another artifact type. */
function mayHold({ mediaType, annotations, artifactType }: Descriptor, { predicateType }: Payload): boolean {
  const said = annotations?.[predicateTypeKey];
  if (mediaType !== imageManifestType || (said !== undefined && said !== predicateType)) return false;
  return artifactType === undefined || artifactType === sigstoreBundleMediaType || artifactType === emptyType || said !== undefined;
}

/**
 * The same signature over the same bytes with the same certificate, and with a word of every kind that we have one of: which tree size a log
 * proved makes no difference, but a bundle cannot be given a proof that it lacks.
 */
const isSame = ({ digest, signature, evidence }: Found, { payload, signature: ours, evidence: words }: Attestation): boolean =>
  digest === sha256(payload.body) &&
  sameBytes(signature.bytes, ours.bytes) &&
  (signature.certificate ?? "").trim() === leafOf(ours.certificate ?? "") &&
  words.every(({ kind }) => evidence.some((one) => one.kind === kind));

/** One for each signature, with everything that its bundles say of it. */
export function oneForEach(found: readonly Found[]): readonly Found[] {
  const all = new Map<string, Found>();
  for (const one of found) {
    const key = [one.digest, Buffer.from(one.signature.bytes).toString("base64"), one.signature.certificate ?? ""].join(" ");
    const known = all.get(key);
    all.set(key, known ? { ...known, evidence: [...known.evidence, ...one.evidence] } : one);
  }
  return [...all.values()];
}

/** A bundle keeps the first certificate alone. */
const leafOf = (pem: string): string =>
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(pem.replaceAll("\r", ""))?.[0] ?? "";

/** Member by member as cosign 3 writes it, an artifact type within the configuration's descriptor included. */
export function manifestText({ predicateType = "" }: Payload, bundle: Uint8Array, subject: Descriptor, created: Date): Uint8Array {
  const config = { mediaType: emptyType, size: emptyConfig.length, digest: sha256Of(emptyConfig), artifactType: sigstoreBundleMediaType };
  const layers = [{ mediaType: sigstoreBundleMediaType, size: bundle.length, digest: sha256Of(bundle) }];
  const annotations = {
    [contentKey]: "dsse-envelope",
    [predicateTypeKey]: predicateType,
    [createdKey]: `${created.toISOString().slice(0, 19)}Z`,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: imageManifestType,
    config,
    layers,
    annotations,
    subject,
    artifactType: sigstoreBundleMediaType,
  };
  return Buffer.from(JSON.stringify(manifest));
}

/** Its entry in the fallback index, with the annotations that the specification asks for. */
function descriptorFrom(manifest: Uint8Array): Descriptor {
  const { annotations } = JSON.parse(Buffer.from(manifest).toString()) as { annotations: Record<string, string> };
  const artifactType = sigstoreBundleMediaType;
  return { mediaType: imageManifestType, size: manifest.length, digest: sha256Of(manifest), annotations, artifactType };
}

/** The fallback index: entries of others stay as they are, all are sorted by digest. */
function indexAt(repository: OpenRepository, { digest }: ImageAt): SharedTag<BundlePiece, Index> {
  const tag = fallbackTagOf(digest);
  const reference = textOf({ ...repository.place, tag });
  return {
    tag,
    parse(stored) {
      try {
        if (stored.mediaType === indexType) return parseIndex(stored.bytes);
      } catch {
        // Said below: whoever damaged it, it is no index.
      }
      const sentence = `GET manifest ${reference}: somebody put something else there (it is no OCI index); remove the tag`;
      throw new RegistryError(sentence, { operation: "GET manifest", reference, outage: false });
    },
    holds: ({ manifests }, piece, call) => isHeld(manifests, piece, call),
    added(index, pieces) {
      const base = index ?? { schemaVersion: 2, mediaType: indexType };
      const manifests = [...(index?.manifests ?? []), ...pieces.map(({ descriptor }) => descriptor)].sort((a, b) =>
        a.digest < b.digest ? -1 : 1,
      );
      return { blobs: [], mediaType: indexType, bytes: Buffer.from(JSON.stringify({ ...base, manifests })) };
    },
  };
}
