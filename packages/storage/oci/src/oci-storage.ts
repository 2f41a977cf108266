import { foundInLayer, tagLayer } from "@countersign/bundle";
import {
  type Artifact,
  type Attestation,
  type Call,
  CountersignError,
  type Found,
  type StorageBackend,
  type StoredAt,
  type Where,
} from "@countersign/core";
import type { Http } from "@countersign/http";
import { type OpenRepository, parseRepository, type Registries, type Repository, registries } from "@countersign/oci-client";
import { attach, lookAfter } from "./attach.ts";
import { type Attached, attachedTo } from "./discover.ts";
import { few } from "./few.ts";
import type { CredentialSource } from "./keychain.ts";
import { layerReader } from "./layers.ts";
import { type Place, placesOf, uriOf } from "./places.ts";
import { mildestOf, storeErrorFrom } from "./store-error.ts";

export interface OciOptions {
  /** With the certificates, proxies and host policy that shall hold for registries. */
  readonly http: Http;
  readonly credentials: CredentialSource;
  /** storage.oci.repository: everything is read and written there instead of beside the image. */
  readonly repository?: string;
  /** Plain http may be tried with any registry. Certificates are the business of `http`. Default false. */
  readonly insecure?: boolean;
  /** How long reading, or one attempt to write, may take at one place; waiting for its turn is not counted. Default 30 s. */
  readonly totalMs?: number;
  /**
   * How long to wait after a write before looking whether another writer has overwritten it; it is told how long the write took
   * (milliseconds). Default: about three times as long, 10 ms to 1 s.
   */
  readonly lookAfterMs?: (tookMs: number) => number;
}

export interface OciStorage extends StorageBackend {
  /** Everything attached to an image by tag: "registry/repository@sha256:…" or "registry/repository:tag". Believes nothing. */
  discover(image: string, call: Call): Promise<readonly Attached[]>;
}

/** Places served at the same time. */
const width = 4;

/** Beside the image, as cosign's `.sig` and `.att` tags. @throws CountersignError "config.oci-repository" */
export function ociStorage(options: OciOptions): OciStorage {
  const { http, credentials, insecure = false, totalMs = 30_000, lookAfterMs = lookAfter } = options;
  const instead = options.repository === undefined ? undefined : repositoryFrom(options.repository);
  const all: Registries = registries({ http, insecure, totalMs });
  const reader = layerReader();

  async function open(
    place: Repository,
    artifact: Artifact | undefined,
    actions: "pull" | "pull,push",
    call: Call,
  ): Promise<OpenRepository> {
    const { registry, repository } = place;
    return all.open({ registry, repository }, await credentials(artifact, { registry, repository }, call), actions);
  }

  async function store(attestation: Attestation, call: Call): Promise<StoredAt> {
    const layer = tagLayer(attestation);
    const places = placesOf(attestation.payload, instead);
    const settled = await few(places, width, async (place) => {
      const repository = await inTime(place, call, (within) => open(place, attestation.artifact, "pull,push", within));
      const at = await attach(repository, place, layer, { signal: call.signal, lookAfterMs, inTime: (work) => inTime(place, call, work) });
      return { uri: uriOf(at), via: repository.admitted };
    });
    const stored = valuesOf(settled, call);
    const via = [...new Set(stored.flatMap((one) => one.via ?? []))].join(", ");
    return { uris: stored.map(({ uri }) => uri), ...(via && { via }) };
  }

  async function find({ artifact, payload }: Where, call: Call): Promise<readonly Found[]> {
    const settled = await few(placesOf(payload, instead), width, (place) =>
      inTime(place, call, async (within) => {
        const repository = await open(place, artifact, "pull", within);
        const stored = await repository.manifest(place.tag, within);
        return stored ? await reader.layersOf(repository, stored, within) : [];
      }),
    );
    return valuesOf(settled, call).flatMap((layers) => layers.flatMap((layer) => foundInLayer(layer) ?? []));
  }

  function discover(image: string, call: Call): Promise<readonly Attached[]> {
    return attachedTo(image, { instead, reader, open: (place) => open(place, undefined, "pull", call), call }).catch((error) =>
      Promise.reject(storeErrorFrom(error)),
    );
  }

  /** A registry that dawdles through many small steps is an outage too. */
  async function inTime<T>(place: Place, { signal }: Call, work: (call: Call) => Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(totalMs);
    try {
      return await work({ signal: AbortSignal.any([signal, deadline]) });
    } catch (error) {
      if (!deadline.aborted) throw storeErrorFrom(error);
      throw new CountersignError("store.registry-unavailable", `${uriOf(place)}: not done within ${totalMs} ms; it is tried again`, {
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
