import type { Drafts } from "@countersign/attest";
import { annotationPrefix } from "@countersign/bundle";
import type { Annotations, Artifact, Call, RunRef } from "@countersign/core";
import { altered, annotate } from "./annotate.ts";
import { draftsIn, draftsText } from "./drafts-text.ts";
import { fits, ours } from "./marks.ts";
import type { Surroundings } from "./surroundings.ts";

const draftsKey = `${annotationPrefix}drafts`;

/** Once a run is marked they have served. */
export function withoutDrafts(annotations: Annotations): Annotations {
  const { [draftsKey]: _served, ...others } = annotations;
  return others;
}

export interface RunDrafts extends Drafts {
  /** Of the run, as they stand now. */
  annotations(): Annotations;
}

/**
 * Drafts on the run itself, in one annotation that goes with its mark. Routes that sign at the same moment share an apply. A run whose
 * annotations have no room for them has none.
 */
export function draftsOn(
  run: { readonly ref: RunRef; readonly annotations: Annotations },
  house: Pick<Surroundings, "runs" | "own">,
  { signal }: Call,
): RunDrafts {
  const { ref } = run;
  const drafts = new Map(draftsIn(run.annotations[draftsKey] ?? ""));
  let standing = run.annotations;
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  return {
    annotations: () => standing,
    recall: (artifact, route) => [drafts.get(nameOf(artifact, route)) ?? []].flat(),
    keep(artifact, route, draft) {
      drafts.set(nameOf(artifact, route), draft);
      next ??= following(last);
      return next;
    },
  };

  /** After the apply that is under way, and after whoever signs at this moment. */
  function following(before: Promise<void>): Promise<void> {
    const written = before.then(turn, turn).then(() => {
      next = undefined;
      return apply();
    });
    last = written;
    return written;
  }

  async function apply(): Promise<void> {
    const value = draftsText(drafts);
    const { [`${annotationPrefix}signed`]: _foreign, ...named } = ours(standing);
    if (!fits(standing, { [draftsKey]: value })) return;
    const answer = await annotate(ref, { ...named, [draftsKey]: value }, house, { signal });
    if (answer[draftsKey] !== value) throw altered(ref, draftsKey);
    standing = { ...standing, [draftsKey]: value };
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const nameOf = ({ fullKey }: Artifact, route: string): string => `${route} ${fullKey}`;
