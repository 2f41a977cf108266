import { attestRun, type Outcome } from "@countersign/attest";
import { planFromConfig, unsupportedIn } from "@countersign/catalog";
import { type Annotations, CountersignError, type RunRef } from "@countersign/core";
import type { Run } from "@countersign/tekton";
import { annotatedText } from "./annotated-text.ts";
import { faultOf } from "./fault.ts";
import { laptopHost } from "./laptop-host.ts";
import { replaceFile } from "./replace-file.ts";
import { runName } from "./run-name.ts";
import { configFrom, runsFrom } from "./statement-input.ts";
import type { Terminal } from "./terminal.ts";

export interface AttestInput {
  readonly files: readonly string[];
  readonly children?: readonly string[];
  readonly config?: string;
  readonly set?: readonly string[];
  /** Not needed where Fulcio certifies. */
  readonly signingSecrets?: string;
  readonly write?: boolean;
}

/** The answer to `--output json`. */
export interface AttestAnswer {
  readonly runs: readonly RunAnswer[];
  /** Files that now carry the annotations. */
  readonly written: readonly string[];
  readonly warnings: readonly string[];
}

export interface RunAnswer {
  readonly run: RunRef;
  readonly routes: readonly RouteAnswer[];
  /** What the tekton storage wants on the run; the caller's business unless it was written. */
  readonly annotations: Annotations;
}

export interface RouteAnswer {
  /** "taskrun/slsa/v2alpha4", "image/simplesigning". */
  readonly route: string;
  /** "tekton.dev-v1-TaskRun-<uid>", or the image. */
  readonly artifact: string;
  readonly stored: readonly { readonly uris: readonly string[] }[];
  readonly failures: readonly { readonly code: string; readonly sentence: string }[];
}

/** One run after the other; a failure of one place is in the answer and never keeps the rest from being stored. */
export async function attestFiles(input: AttestInput, terminal: Terminal): Promise<AttestAnswer> {
  const { signal } = terminal;
  if (input.write && input.files.includes("-"))
    throw unwritable("standard input cannot be written back: leave --write out, the annotations are printed");
  const read = (path: string): Promise<string> => terminal.readText(path);
  const { config, warnings } = await configFrom(input, read);
  const texts = new Map<string, string>();
  for (const file of input.files) texts.set(file, await read(file));
  const runs = await runsFrom(input, async (path) => texts.get(path) ?? (await read(path)));
  if (input.write && runs.length !== input.files.length)
    throw unwritable("--write wants one run per file: split the files, or leave it out");
  const unfinished = runs.find(({ done }) => !done);
  if (unfinished) throw notFinished(unfinished);
  const host = laptopHost(terminal, input.signingSecrets);
  try {
    const plan = planFromConfig(config, host);
    const answers: RunAnswer[] = [];
    const algorithms = new Set<string>();
    for (const run of runs) {
      const { outcomes } = await attestRun(run, plan(run), { signal });
      answers.push(answerOf(run, outcomes));
      for (const { attestation } of outcomes) if (attestation) algorithms.add(attestation.signature.algorithm);
    }
    const written = input.write ? await writeBack(input.files, texts, answers) : [];
    const missing = unsupportedIn(config).map((what) => `${what} is not supported by this version: what uses it is not stored`);
    const odd = [...algorithms].filter((algorithm) => !plainAlgorithms.includes(algorithm)).map(oddSentence);
    return { runs: answers, written, warnings: [...warnings.map(({ sentence }) => sentence), ...missing, ...odd] };
  } finally {
    await host.close();
  }
}

function answerOf({ ref }: Run, outcomes: readonly Outcome[]): RunAnswer {
  const routes = outcomes.map(({ route, artifact, stored, failures }) => ({
    route,
    artifact: artifact.fullKey,
    stored: stored.map(({ uris }) => ({ uris })),
    failures: failures.map(faultOf).map(({ code, sentences }) => ({ code, sentence: sentences.join("; ") })),
  }));
  const annotations = Object.assign({}, ...outcomes.flatMap(({ stored }) => stored.map((at) => at.annotations ?? {})));
  return { run: ref, routes, annotations };
}

async function writeBack(
  files: readonly string[],
  texts: ReadonlyMap<string, string>,
  answers: readonly RunAnswer[],
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const [index, file] of files.entries()) {
    const annotations = answers[index]?.annotations ?? {};
    if (Object.keys(annotations).length === 0) continue;
    await replaceFile(file, annotatedText(texts.get(file) ?? "", annotations));
    written.push(file);
  }
  return written;
}

/** What every verifier of cosign's signatures takes without a flag. */
const plainAlgorithms: readonly string[] = ["ecdsa-sha256", "rsa-pkcs1-sha256"];
const oddSentence = (algorithm: string): string =>
  `cosign.key signs with ${algorithm}: \`cosign verify\` needs a flag for it at best, \`cosign verify-attestation\` refuses it; prefer a P-256 key`;

const unwritable = (sentence: string): CountersignError => new CountersignError("mark.not-writable", sentence, { retry: "never" });

const notFinished = ({ ref }: Run): CountersignError =>
  new CountersignError("read.not-finished", `${runName(ref)} is not finished: attest it when its condition Succeeded is True or False`, {
    retry: "wait",
  });
