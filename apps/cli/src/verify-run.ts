import { annotationPrefix, foundInAnnotations } from "@countersign/bundle";
import { CountersignError } from "@countersign/core";
import { clusterRuns } from "@countersign/kube";
import { parseRun, type Run } from "@countersign/tekton";
import { claimsOf, type Policy, type TrustMaterial, type Verdict, verify } from "@countersign/verify";
import { type Checked, checkedFrom, type Verification } from "./checked.ts";
import { type ClusterOptions, withCluster } from "./cluster.ts";
import { isAsked, wantedType } from "./predicate-type.ts";
import { runName } from "./run-name.ts";
import { runsFrom } from "./statement-input.ts";
import type { Terminal } from "./terminal.ts";
import { trustedKey } from "./trusted-key.ts";

export interface VerifyRunOptions extends ClusterOptions {
  readonly key: string;
  readonly type?: string;
  readonly builder?: readonly string[];
  readonly namespace?: string;
}

/** Every signed payload among the run's annotations must be sound: they have one writer. */
export async function verifyRun(name: string, options: VerifyRunOptions, terminal: Terminal): Promise<Verification> {
  const trust = await trustedKey(options.key, options, terminal);
  const run = await runFrom(name, options, terminal);
  const subject = runName(run.ref);
  const checked = shortKeysOf(run)
    .map((shortKey) => checkedPayload(run, shortKey, trust, options))
    .filter((one) => one !== undefined);
  return { subject, ...verdictOf(checked, options), checked };
}

async function runFrom(name: string, options: VerifyRunOptions, terminal: Terminal): Promise<Run> {
  const [, word, inCluster] = /^(taskrun|pipelinerun)\/([a-z0-9][a-z0-9.-]*)$/i.exec(name) ?? [];
  if (inCluster) return clusterRun(word?.toLowerCase() === "taskrun" ? "TaskRun" : "PipelineRun", inCluster, options, terminal);
  const [run, ...more] = await runsFrom({ files: [name] }, (path) => terminal.readText(path));
  if (run && more.length === 0) return run;
  throw new CountersignError("read.not-one-run", `${name} holds ${more.length + (run ? 1 : 0)} runs: give one at a time`, {
    retry: "never",
  });
}

function clusterRun(kind: "TaskRun" | "PipelineRun", name: string, options: VerifyRunOptions, { signal }: Terminal): Promise<Run> {
  return withCluster(options, async (connection) => {
    const namespace = options.namespace ?? connection.namespace;
    const text = await clusterRuns(connection).get({ kind, namespace, name }, { signal });
    if (text !== undefined) return parseRun(text, { kind });
    throw new CountersignError("read.no-run", `there is no ${kind} ${namespace}/${name}: check the name and --namespace`, {
      retry: "never",
    });
  });
}

const payloadPrefix = `${annotationPrefix}payload-`;

const shortKeysOf = ({ annotations }: Run): readonly string[] =>
  Object.keys(annotations)
    .filter((key) => key.startsWith(payloadPrefix))
    .map((key) => key.slice(payloadPrefix.length))
    .sort();

/** Undefined: not of the kind that was asked for. */
function checkedPayload(run: Run, shortKey: string, trust: TrustMaterial, { type, builder }: VerifyRunOptions): Checked | undefined {
  const payload = Buffer.from(run.annotations[`${payloadPrefix}${shortKey}`] ?? "", "base64");
  const claims = claimsOf(payload);
  const wanted = wantedType(type);
  if (!isAsked(claims, wanted)) return undefined;
  const envelope = claims?.kind === "image-signature" ? "none" : "dsse";
  const [found] = foundInAnnotations(run.annotations, { ...run.artifact, shortKey }, { envelope });
  const policy: Policy = {
    ...wanted,
    ...(claims?.kind === "provenance" && { invocationId: run.ref.uid, ...(builder && { builderIds: builder }) }),
    ...(claims?.kind === "image-signature" && {
      subject: claims.digests.find((digest) => digest.startsWith(`sha256:${shortKey}`)) ?? `sha256:${shortKey}…`,
    }),
  };
  const verdict = found ? verify(found, payload, trust, policy) : unsigned;
  const foreign = claims?.kind === "provenance" && shortKey !== run.artifact.shortKey;
  return checkedFrom(`${payloadPrefix}${shortKey}`, claims, foreign ? withStranger(verdict, run) : verdict);
}

const unsigned: Verdict = {
  accepted: false,
  reasons: [{ check: "signature", sentence: "the signature annotation beside it is missing, or is no envelope of this payload" }],
};

const withStranger = ({ reasons }: Verdict, { ref }: Run): Verdict => ({
  accepted: false,
  reasons: [...reasons, { check: "subject", sentence: `the annotation belongs to another run than this one (uid ${ref.uid})` }],
});

function verdictOf(checked: readonly Checked[], { type }: VerifyRunOptions): Pick<Verification, "accepted" | "reason"> {
  if (checked.length === 0)
    return {
      accepted: false,
      reason: type
        ? `it carries no signed payload of type ${type}`
        : "it carries no signed payload; is it attested, and is tekton among the storages?",
    };
  return { accepted: checked.every(({ accepted }) => accepted) };
}
