import { type Call, CountersignError } from "@countersign/core";
import { type Descriptor, type OpenRepository, type Repository, textOf } from "@countersign/oci-client";
import type { ImageAt } from "./places.ts";
import { turn } from "./turn.ts";

/** A configuration that says nothing. */
export const emptyConfig: Uint8Array = Buffer.from("{}");

/** What needs to be asked once of a repository and an image, whoever comes next. */
export interface Acquaintance {
  /** Media type, size and digest of the image. @throws CountersignError "store.image-missing" */
  subject(repository: OpenRepository, image: ImageAt, call: Call): Promise<Descriptor>;
  /** Puts the empty configuration there. */
  empty(repository: OpenRepository, call: Call): Promise<void>;
  /** The list of referrers where the registry keeps it, undefined where whoever attaches does. */
  listed(repository: OpenRepository, image: ImageAt, call: Call): Promise<readonly Descriptor[] | undefined>;
  forget(repository: OpenRepository, image: ImageAt): void;
}

const maxKnown = 1_000;

export function acquaintance(): Acquaintance {
  const subjects = new Map<string, Descriptor>();
  const empties = new Set<string>();
  const met = new Set<string>();
  const nameOf = ({ registry, repository }: Repository): string => textOf({ registry, repository });

  return {
    // An attestation and an image signature of one run come together: the second waits for the answer to the first.
    subject: (repository, image, call) =>
      turn(`subject ${textOf(image)}`, call.signal, async () => {
        const name = textOf(image);
        const subject = subjects.get(name) ?? (await repository.describe(image.digest, call));
        if (!subject) throw missing(name);
        if (subjects.size >= maxKnown) subjects.clear();
        subjects.set(name, subject);
        return subject;
      }),
    empty: (repository, call) =>
      turn(`empty ${nameOf(repository.place)}`, call.signal, async () => {
        if (empties.has(nameOf(repository.place))) return;
        await repository.putBlob(emptyConfig, call);
        if (empties.size >= maxKnown) empties.clear();
        empties.add(nameOf(repository.place));
      }),
    async listed(repository, { digest }, call) {
      const { registry } = repository.place;
      const ask = async (): Promise<readonly Descriptor[] | undefined> => {
        const { keptBy, referrers } = await repository.listReferrers(digest, { ...call, apiOnly: true });
        if (met.size >= maxKnown) met.clear();
        met.add(registry);
        return keptBy === "registry" ? referrers : undefined;
      };
      // Only one finds out whether there is an API.
      return met.has(registry) ? ask() : turn(`referrers of ${registry}`, call.signal, ask);
    },
    forget({ place }, image) {
      subjects.delete(textOf(image));
      empties.delete(nameOf(place));
    },
  };
}

const missing = (name: string): CountersignError =>
  new CountersignError(
    "store.image-missing",
    `${name}: the registry has no such image, and a bundle must name one that is there; push the image first, or store tags (storage.oci.encoding-format: dsse)`,
    { retry: "counted" },
  );
