import {
  type Artifact,
  type Attestation,
  type Call,
  CountersignError,
  type Found,
  type Payload,
  type StorageBackend,
  type StoredAt,
  type Where,
} from "@countersign/core";
import type { Http } from "@countersign/http";
import {
  type OpenRepository,
  parseIndex,
  parseRepository,
  type Reference,
  type Registries,
  type Repository,
  registries,
  type StoredManifest,
  textOf,
} from "@countersign/oci-client";
import { acquaintance } from "./acquaintance.ts";
import { foundInBundles, oneForEach, storeBundle } from "./bundles.ts";
import { type Attached, attachedTo } from "./discover.ts";
import { few } from "./few.ts";
import type { CredentialSource } from "./keychain.ts";
import { layerReader } from "./layers.ts";
import { bundleImagesOf, type ImageAt, type Layout, type Place, placesOf, uriOf } from "./places.ts";
import { mildestOf, storeErrorFrom } from "./store-error.ts";
import { foundAtTag, storeAtTag } from "./tags.ts";

export interface OciOptions {
  /** With the certificates, proxies and host policy that shall hold for registries. */
  readonly http: Http;
  readonly credentials: CredentialSource;
  /** storage.oci.repository: everything is read and written there instead of beside the image. */
  readonly repository?: string;
  /**
   * Plain http may be tried with any registry (true), or with those of this list alone (hosts, "*.domain", ranges). Default: with local
   * ones. Certificates are the business of `http`.
   */
  readonly insecure?: boolean | readonly string[];
  /** How long reading, or one attempt to write, may take at one place; waiting for its turn is not counted. Default 30 s. */
  readonly totalMs?: number;
  /** Layers of cosign's `.sig` and `.att` tags, or sigstore bundles among the image's referrers. Default "tags". */
  readonly layout?: Layout;
  /** Stands in a bundle's manifest as the time of its creation. Default: the system's clock. */
  readonly now?: () => Date;
  /**
   * How long to wait after a write before looking whether another writer has overwritten it; it is told how long the slowest request took
   * (milliseconds). Default: 100 ms and three times as long, 150 ms at least.
   */
  readonly lookAfterMs?: (slowestMs: number) => number;
  /** Told each time another writer was found to have written at a place of ours in between, and each time that took ours away. */
  readonly onContention?: (place: string, what: "moved" | "lost") => void;
}

export interface OciStorage extends StorageBackend {
  /**
   * Everything attached to an image, in both layouts, whatever the layout of this backend: "registry/repository@sha256:…" or
   * "registry/repository:tag". Believes nothing.
   */
  discover(image: string, call: Call): Promise<readonly Attached[]>;
}

/** Places served at the same time. */
const width = 4;
const maxLooks = 1_000;

/** Backends that share an Http share what is learnt of registries: scheme, manners, tokens. */
const met = new WeakMap<Http, Map<string, Registries>>();
function registriesThrough(http: Http, insecure: boolean | readonly string[], totalMs: number): Registries {
  const mine = met.get(http) ?? new Map<string, Registries>();
  met.set(http, mine);
  const key = JSON.stringify([insecure, totalMs]);
  const all = mine.get(key) ?? registries({ http, insecure, totalMs });
  mine.set(key, all);
  return all;
}

/** How long the look after a write counts as the reading that follows it (milliseconds). */
const lookLasts = 5_000;

/** Beside the image: as cosign's `.sig` and `.att` tags, or as bundles. @throws CountersignError "config.oci-repository" */
export function ociStorage(options: OciOptions): OciStorage {
  const { http, credentials, insecure = false, totalMs = 30_000, layout = "tags", now = () => new Date() } = options;
  const { lookAfterMs, onContention } = options;
  const instead = options.repository === undefined ? undefined : repositoryFrom(options.repository);
  const all = registriesThrough(http, insecure, totalMs);
  const reader = layerReader();
  const known = acquaintance();
  const looks = new Map<string, { readonly stored: StoredManifest; readonly at: number }>();

  async function open(
    place: Repository,
    artifact: Artifact | undefined,
    actions: "pull" | "pull,push",
    call: Call,
  ): Promise<OpenRepository> {
    const { registry, repository } = place;
    return all.open({ registry, repository }, await credentials(artifact, { registry, repository }, call), actions);
  }

  const whereTo = (payload: Payload): readonly (Place | ImageAt)[] =>
    layout === "tags" ? placesOf(payload, instead) : bundleImagesOf(payload);

  async function store(attestation: Attestation, call: Call): Promise<StoredAt> {
    const { payload, artifact } = attestation;
    const settled = await few(whereTo(payload), width, async (place) => {
      const repository = await inTime(place, call, (within) => open(place, artifact, "pull,push", within));
      const how = {
        signal: call.signal,
        lookAfterMs,
        onContention,
        inTime: <T>(work: (call: Call) => Promise<T>) => inTime(place, call, work),
      };
      if (place.kind !== "image") {
        looked(uriOf(place), await storeAtTag(repository, place, attestation, { ...how, reader }));
        return { uri: uriOf(place), via: repository.admitted };
      }
      const { digest, index } = await storeBundle(repository, place, attestation, { ...how, reader, known, now });
      if (index) looked(textOf(place), index);
      return { uri: textOf({ ...place, digest }), via: repository.admitted };
    });
    const stored = valuesOf(settled, call);
    const via = [...new Set(stored.flatMap((one) => one.via ?? []))].join(", ");
    return { uris: stored.map(({ uri }) => uri), ...(via && { via }) };
  }

  async function find({ artifact, payload }: Where, call: Call): Promise<readonly Found[]> {
    const settled = await few(whereTo(payload), width, (place) =>
      inTime(place, call, async (within) => {
        const repository = await open(place, artifact, "pull", within);
        const seen = justSeen(textOf(place));
        if (place.kind !== "image") return foundAtTag(repository, seen ?? (await repository.manifest(place.tag, within)), reader, within);
        const referrers = seen ? parseIndex(seen.bytes).manifests : await repository.referrers(place.digest, within);
        return oneForEach(await foundInBundles(referrers, payload, repository, reader, within));
      }),
    );
    return valuesOf(settled, call).flat();
  }

  /** What a look after a write saw is what a reading right after it would see: the registry is not asked for it twice. */
  function looked(place: string, stored: StoredManifest): void {
    if (looks.size >= maxLooks) looks.clear();
    looks.set(place, { stored, at: performance.now() });
  }
  function justSeen(place: string): StoredManifest | undefined {
    const look = looks.get(place);
    looks.delete(place);
    return look && performance.now() - look.at < lookLasts ? look.stored : undefined;
  }

  function discover(image: string, call: Call): Promise<readonly Attached[]> {
    return attachedTo(image, { instead, reader, open: (place) => open(place, undefined, "pull", call), call }).catch((error) =>
      Promise.reject(storeErrorFrom(error)),
    );
  }

  /** A registry that dawdles through many small steps is an outage too. */
  async function inTime<T>(place: Reference, { signal }: Call, work: (call: Call) => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(totalMs);
    try {
      return await work({ signal: AbortSignal.any([signal, deadline]) });
    } catch (error) {
      if (!deadline.aborted) throw storeErrorFrom(error);
      throw new CountersignError("store.registry-unavailable", `${textOf(place)}: not done within ${totalMs} ms; it is tried again`, {
        retry: "wait",
        cause: error,
      });
    }
  }

  return { name: "oci", store, find, discover };
}

/** All values, or the mildest failure once everybody had a turn; an abort is nobody's failure. */
function valuesOf<T>(settled: Awaited<ReturnType<typeof few<unknown, T>>>, { signal }: Call): readonly T[] {
  signal.throwIfAborted();
  const failures = settled.flatMap((one) => ("failure" in one ? [one.failure] : []));
  if (failures.length > 0) throw mildestOf(failures);
  return settled.flatMap((one) => ("value" in one ? [one.value] : []));
}

function repositoryFrom(text: string): Repository {
  const repository = parseRepository(text);
  if (repository) return repository;
  const sentence = `storage.oci.repository "${text}" is no repository; give one like registry.example/team/signatures, without scheme, tag or digest`;
  throw new CountersignError("config.oci-repository", sentence, { retry: "hold" });
}
