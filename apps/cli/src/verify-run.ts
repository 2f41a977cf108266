import { annotationPrefix, foundInAnnotations } from "@countersign/bundle";
import { CountersignError } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { inTotoPayloadType } from "@countersign/in-toto-attestation";
import { clusterRuns } from "@countersign/kube";
import { parseRun, type Run } from "@countersign/tekton";
import { claimsOf, type Policy, type Verdict } from "@countersign/verify";
import { believed } from "./believed.ts";
import { type Checked, checkedFrom, type Verification } from "./checked.ts";
import { type ClusterOptions, withCluster } from "./cluster.ts";
import { type Judged, judged } from "./judge.ts";
import type { Attachment } from "./log-lookup.ts";
import { isAsked, wantedType } from "./predicate-type.ts";
import { runName } from "./run-name.ts";
import { runsFrom } from "./statement-input.ts";
import type { Terminal } from "./terminal.ts";
import type { TrustOptions } from "./trust-options.ts";

export interface VerifyRunOptions extends TrustOptions, ClusterOptions {
  readonly type?: string;
  readonly builder?: readonly string[];
  readonly namespace?: string;
}

/** Every signed payload among the run's annotations must be sound: they have one writer. */
export async function verifyRun(name: string, options: VerifyRunOptions, terminal: Terminal): Promise<Verification> {
  let wire: Http | undefined;
  const straight = (): Http => (wire ??= http({ env: terminal.env, userAgent: "countersign" }));
  try {
    const believe = await believed(options, terminal, straight);
    const run = await runFrom(name, options, terminal);
    const subject = runName(run.ref);
    const checked: Checked[] = [];
    for (const shortKey of shortKeysOf(run)) {
      const one = await checkedPayload(run, shortKey, options, (attachment, policy) =>
        judged(attachment, policy, believe, straight, terminal.signal),
      );
      if (one) checked.push(one);
    }
    return { subject, ...verdictOf(checked, options), checked };
  } finally {
    await wire?.close();
  }
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

type Judge = (attachment: Attachment, policy: Policy) => Promise<Judged>;

/** Undefined: not of the kind that was asked for. */
async function checkedPayload(run: Run, shortKey: string, { type, builder }: VerifyRunOptions, judge: Judge): Promise<Checked | undefined> {
  const bytesOf = (what: "payload" | "signature"): Buffer =>
    Buffer.from(run.annotations[`${annotationPrefix}${what}-${shortKey}`] ?? "", "base64");
  const payload = bytesOf("payload");
  const claims = claimsOf(payload);
  const wanted = wantedType(type);
  if (!isAsked(claims, wanted)) return undefined;
  const envelope = claims?.kind === "image-signature" && claims.predicateType === undefined ? "none" : "dsse";
  const [found] = foundInAnnotations(run.annotations, { ...run.artifact, shortKey }, { envelope });
  const policy: Policy = {
    ...wanted,
    ...(claims?.kind === "provenance" && { invocationId: run.ref.uid, ...(builder && { builderIds: builder }) }),
    ...(claims?.kind === "image-signature" && {
      subject: claims.digests.find((digest) => digest.startsWith(`sha256:${shortKey}`)) ?? `sha256:${shortKey}…`,
    }),
  };
  const text = envelope === "dsse" ? { envelopeText: bytesOf("signature").toString("utf8") } : {};
  const { verdict, found: seen } = found
    ? await judge({ found, payload, payloadType: inTotoPayloadType, envelope, ...text }, policy)
    : { verdict: unsigned, found: undefined };
  const foreign = claims?.kind === "provenance" && shortKey !== run.artifact.shortKey;
  return checkedFrom(`${payloadPrefix}${shortKey}`, claims, foreign ? withStranger(verdict, run) : verdict, seen);
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
