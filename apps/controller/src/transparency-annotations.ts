import type { Outcome, Report } from "@countersign/attest";
import { annotationPrefix, sha256 } from "@countersign/bundle";
import type { Annotations, Evidence } from "@countersign/core";

/**
 * Where the log has the entries of a run. Tekton Chains keeps one address for a run, the last one; beside it stands one for each payload,
 * so that none is overwritten: `transparency-<short key>`, for the bundle form of an image signature with `-bundle` after it.
 */
export function transparencyAnnotations({ outcomes }: Report): Annotations {
  const taken = new Set<string>();
  const named = outcomes.map((outcome) => {
    const name = nameOf(outcome);
    // The same digest in two repositories has one short key.
    const own = taken.has(name) ? `${name}-${sha256(outcome.artifact.fullKey).slice(0, 8)}` : name;
    taken.add(own);
    return [own, urlOf(outcome)] as const;
  });
  const logged = named.flatMap(([name, url]) => (url === undefined ? [] : [[`${annotationPrefix}transparency-${name}`, url] as const]));
  const [, last] = logged.at(-1) ?? [];
  return { ...Object.fromEntries(logged), ...(last !== undefined && { [`${annotationPrefix}transparency`]: last }) };
}

const nameOf = ({ route, artifact: { shortKey } }: Outcome): string => (route.endsWith("/sign-v1") ? `${shortKey}-bundle` : shortKey);

const urlOf = ({ attestation }: Outcome): string | undefined => addressesIn(attestation?.evidence ?? []).at(-1);

/** Entries of ours that belong to nothing stored: a controller died after the log had answered it. */
export const orphansIn = ({ outcomes }: Report): readonly string[] => outcomes.flatMap(({ orphans = [] }) => addressesIn(orphans));

const addressesIn = (evidence: readonly Evidence[]): readonly string[] =>
  evidence.flatMap((word) => (word.kind === "log-entry" ? [word.url ?? `log index ${word.entry.logIndex}`] : []));
