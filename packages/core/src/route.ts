import type { Artifact } from "./artifact.ts";
import type { Formatter } from "./formatter.ts";
import type { Payload } from "./payload.ts";
import type { AnyRun } from "./run.ts";
import type { Signer } from "./signer.ts";
import type { StorageBackend } from "./storage.ts";
import type { Witness } from "./witness.ts";

/** One input, its formatter, and everything its payload passes through. */
export interface Route {
  /** "<artifact kind>/<formatter>", for example "image/simplesigning". */
  readonly id: string;
  readonly artifact: Artifact;
  format(): Payload;
  readonly signer: Signer;
  readonly witnesses: readonly Witness[];
  readonly backends: readonly StorageBackend[];
}

/** A plan is a function from a run to its routes. */
export type Plan<R extends AnyRun> = (run: R) => readonly Route[];

/** The only place where input and formatter meet, so the only place where their types must fit. */
export function route<A extends { readonly artifact: Artifact }>(
  input: A,
  formatter: Formatter<A>,
  through: Pick<Route, "signer" | "witnesses" | "backends">,
): Route {
  return { ...through, id: `${input.artifact.kind}/${formatter.name}`, artifact: input.artifact, format: () => formatter.format(input) };
}
