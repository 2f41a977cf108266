import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SourceText } from "@countersign/tekton";

const folder = join(import.meta.dirname, "../../../shared/golden/formats");

/** Payloads recorded from Tekton Chains; they lie beside the repository, not in it. */
export const corpus: { readonly path: string; readonly compare: string; readonly isThere: boolean; readonly absent: string } = {
  path: join(folder, "dev-formats.jsonl.gz"),
  compare: join(folder, "compare.mjs"),
  isThere: existsSync(join(folder, "dev-formats.jsonl.gz")),
  absent: "SKIPPED: no recorded payloads of Tekton Chains beside the repository (../shared/golden/formats)",
};

export interface CorpusCase {
  readonly id: string;
  readonly group: string;
  /** As it stands in the file: spelling and key order decide payloads. */
  readonly request: string;
}

/** The recorded requests that a strict decoder can read. */
export function corpusCases(): readonly CorpusCase[] {
  if (!corpus.isThere) return [];
  const lines = gunzipSync(readFileSync(corpus.path)).toString("utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const { id, group } = JSON.parse(line) as { id: string; group: string };
      return { id, group, request: new SourceText(line).textAt(["request"]) ?? "" };
    })
    .filter(({ id }) => !id.startsWith("s"));
}
