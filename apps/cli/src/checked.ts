import type { Found } from "@countersign/core";
import type { Claims, Reason, Verdict } from "@countersign/verify";
import type colors from "picocolors";
import { type Facts, factLines, factsOf } from "./facts.ts";
import { printable } from "./printable.ts";

/** One signature or attestation that was looked at. */
export interface Checked extends Facts {
  /** Where it was found. */
  readonly at: string;
  /** "image signature", a predicate type, or "unknown". */
  readonly what: string;
  readonly accepted: boolean;
  readonly reasons: readonly Reason[];
  /** What it says; to be believed only when it is accepted. */
  readonly builder?: string;
  readonly subjects: readonly string[];
}

/** The answer to `verify … --output json`. */
export interface Verification {
  /** The image with its digest, or kind, namespace and name of the run. */
  readonly subject: string;
  /** The tag that was looked up. */
  readonly resolvedFrom?: string;
  readonly accepted: boolean;
  /** Why not, when it is not accepted and no single check says it. */
  readonly reason?: string;
  readonly checked: readonly Checked[];
  /** The exit code when it is not accepted; default 1. */
  readonly code?: number;
}

export function checkedFrom(at: string, claims: Claims | undefined, { accepted, reasons }: Verdict, found: Found | undefined): Checked {
  const builder = claims?.kind === "provenance" ? claims.builderId : undefined;
  const what = whatOf(claims);
  const subjects =
    claims?.kind === "provenance" ? claims.subjects.map(({ name, digest }) => `${name}@${digestText(digest)}`) : (claims?.digests ?? []);
  return { at, what, accepted, reasons, subjects, ...(builder !== undefined && { builder }), ...(found && factsOf(found)) };
}

export const whatOf = (claims: Claims | undefined): string =>
  claims?.kind === "provenance" ? claims.predicateType : claims ? "image signature" : "unknown";

const digestText = (digest: Readonly<Record<string, string>>): string =>
  Object.entries(digest)
    .map(([algorithm, hex]) => `${algorithm}:${hex}`)
    .join(",");

export function verificationText(
  { subject, resolvedFrom, accepted, reason, checked }: Verification,
  { bold, green, red, dim }: ReturnType<typeof colors.createColors>,
): string {
  const lines = checked.flatMap((one) => [
    `${one.accepted ? green("accepted") : red("refused ")}  ${printable(one.what)}  ${dim(printable(one.at))}\n`,
    ...one.reasons.map(({ check, sentence }) => `          ${check}: ${printable(sentence)}\n`),
    ...(one.accepted && one.builder !== undefined ? [`          builder  ${printable(one.builder)}\n`] : []),
    ...(one.accepted ? factLines(one).map((line) => `          ${printable(line)}\n`) : []),
    ...(one.accepted ? one.subjects.map((name) => `          subject  ${printable(name)}\n`) : []),
  ]);
  const verdict = accepted ? green("verified") : red("not verified");
  const resolved =
    resolvedFrom === undefined ? "" : dim(`the tag ${printable(resolvedFrom)} stands for the digest below; deploy that, a tag can move\n`);
  return `${lines.join("")}${resolved}${verdict}  ${bold(printable(subject))}${reason ? `: ${printable(reason)}` : ""}\n`;
}
