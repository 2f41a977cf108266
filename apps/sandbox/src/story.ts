import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KubeConnection, kubeConnection, kubeconfigCredentials } from "@countersign/kube";
import { type Check, check } from "./check.ts";
import { annotationsOf, applyRun, configure, type QuickstartRun, quickstartRuns } from "./runs.ts";
import { cliBin, type Stage } from "./stage.ts";

/** What is told while it happens. */
export interface Narrator {
  chapter(title: string): void;
  line(text: string): void;
}

export interface Mark {
  readonly run: string;
  readonly signed: string | undefined;
  readonly found: readonly string[];
  readonly stored: readonly string[];
}

export interface Ending {
  readonly runs: readonly Mark[];
  readonly checks: readonly Check[];
  readonly verified: boolean;
}

const patienceMs = 60_000;

/** The story: a key, a configuration, finished runs, their marks, and what a verifier says of it all. */
export async function tellStory(stage: Stage, say: Narrator): Promise<Ending> {
  const connection = await kubeConnection(await kubeconfigCredentials({ file: stage.kubeconfig }));
  try {
    say.chapter("A key and a configuration");
    makeKey(stage);
    say.line(`signing key            ${join(stage.folder, "keys", "cosign.key")} (made for this story)`);
    await configure(connection, stage);
    say.line(`chains-config          namespace ${stage.systemNamespace}: provenance goes to the runs' annotations and beside the images`);
    await stage.startController();
    say.line("controller             running, with that configuration in force");

    say.chapter("Finished runs arrive");
    const runs = quickstartRuns(stage, "with a key");
    for (const run of runs) await applyRun(connection, stage.namespace, run);
    for (const run of runs) say.line(`${run.kind.padEnd(12)} ${run.name}`);

    say.chapter("Each is attested and marked");
    const marked = await marksOf(connection, stage, runs, say);

    say.chapter("A verifier looks at what lies there");
    const checks = await told(checksOf(stage, runs), say);

    say.chapter("The same without a key: a certificate from Fulcio, an entry in Rekor");
    const keyless = quickstartRuns(stage, "without");
    await configure(connection, stage, stage.sigstore.settings);
    say.line("chains-config          patched: signers.x509.fulcio.enabled and transparency.enabled; no restart");
    await stage.configured(2);
    for (const run of keyless) await applyRun(connection, stage.namespace, run);
    const alsoMarked = await marksOf(connection, stage, keyless, say);
    const alsoChecks = await told(keylessChecks(stage), say);

    const all = { runs: [...marked, ...alsoMarked], checks: [...checks, ...alsoChecks] };
    const verified = all.checks.every(({ accepted }) => accepted) && all.runs.every(({ signed }) => signed === "true");
    return { ...all, verified };
  } finally {
    await connection.close();
  }
}

async function marksOf(connection: KubeConnection, stage: Stage, runs: readonly QuickstartRun[], say: Narrator): Promise<readonly Mark[]> {
  const marks = await Promise.all(runs.map((run) => markOf(connection, stage, run)));
  for (const mark of marks) tell(mark, say);
  return marks;
}

async function told(checking: Promise<readonly Check[]>, say: Narrator): Promise<readonly Check[]> {
  const checks = await checking;
  for (const { about, accepted, words } of checks)
    say.line(`${accepted ? "ok " : "NOT"} ${about}${accepted ? "" : ` — ${words.join("; ")}`}`);
  return checks;
}

function makeKey({ folder }: Stage): void {
  mkdirSync(join(folder, "keys"));
  const args = [cliBin, "keys", "generate", join(folder, "keys")];
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, COSIGN_PASSWORD: "quickstart" },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`no key could be made: ${stderr}`);
}

/** Waits for a run's mark, then tells what was found in it, and where its attestations went. */
async function markOf(connection: KubeConnection, { namespace, controllerLog }: Stage, run: QuickstartRun): Promise<Mark> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    const annotations = await annotationsOf(connection, namespace, run);
    const signed = annotations["chains.tekton.dev/signed"];
    // The mark is a moment older than the controller's line about it.
    if (signed === "failed" || (signed !== undefined && storedOf(controllerLog(), namespace, run))) {
      const stored = storedOf(controllerLog(), namespace, run) ?? [];
      return { run: `${run.kind}/${run.name}`, signed, found: foundIn(annotations), stored };
    }
    await sleep(50);
  }
  return { run: `${run.kind}/${run.name}`, signed: undefined, found: [], stored: [] };
}

/** Subjects and materials of the statement on the run. */
function foundIn(annotations: Readonly<Record<string, string>>): readonly string[] {
  const payload = Object.entries(annotations).find(([key]) => /\/payload-(taskrun|pipelinerun)-/.test(key))?.[1];
  if (!payload) return [];
  const { subject = [], predicate } = JSON.parse(Buffer.from(payload, "base64").toString()) as Statement;
  const subjects = subject.map(({ name }) => `built ${name}`);
  const materials = predicate.materials?.length ?? 0;
  return [...subjects, ...(materials > 0 ? [`${materials} material${materials > 1 ? "s" : ""}: images it ran and sources it used`] : [])];
}

interface Statement {
  readonly subject?: readonly { readonly name: string }[];
  readonly predicate: { readonly materials?: readonly object[] };
}

function tell({ run, signed, found, stored }: Mark, say: Narrator): void {
  say.line(`${run.padEnd(26)} ${signed ? `signed=${signed}` : `not marked after ${patienceMs / 1000} s`}`);
  for (const thing of found) say.line(`    found   ${thing}`);
  for (const place of stored) say.line(`    stored  ${place.replace(/(sha256-[0-9a-f]{12})[0-9a-f]{52}/, "$1…")}`);
}

/** Where the controller says it stored a run's attestations: one line of its log for each outcome. */
function storedOf(log: string, namespace: string, { kind, name }: QuickstartRun): readonly string[] | undefined {
  const about = [`"knative.dev/key":"${namespace}/${name}"`, `"knative.dev/kind":"tekton.dev.${kind}"`, '"msg":"signed"'];
  const line = log.split("\n").findLast((one) => about.every((word) => one.includes(word)));
  return line === undefined ? undefined : (JSON.parse(line) as { stored: readonly string[] }).stored;
}

function checksOf(
  { registry, digest, namespace, kubeconfig, publicKey }: Stage,
  runs: readonly QuickstartRun[],
): Promise<readonly Check[]> {
  const key = ["--key", publicKey];
  const images = ["team/app", "team/release"].map((repository) => `${registry}/${repository}@${digest}`);
  const onRuns = runs.map(({ kind, name }) =>
    check(`${kind} ${name}`, ["verify", "run", `${kind.toLowerCase()}/${name}`, ...key, "-n", namespace, "--kubeconfig", kubeconfig]),
  );
  const onImages = images.flatMap((image) => [
    check(`signature of ${image}`, ["verify", "image", image, ...key]),
    check(`provenance of ${image}`, ["verify", "image", image, ...key, "--type", "slsaprovenance"]),
  ]);
  return Promise.all([...onImages, ...onRuns]);
}

/** Who signed is asked for by name, and the log's proof is checked against a file: nobody but the registry is contacted. */
function keylessChecks({ registry, digest, sigstore: { identity, issuer, trustedRoot } }: Stage): Promise<readonly Check[]> {
  const image = `${registry}/team/keyless@${digest}`;
  const who = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer];
  const args = ["verify", "image", image, ...who, "--trusted-root", trustedRoot, "--offline"];
  return Promise.all([
    check(`offline, keyless signature of ${image}`, args),
    check(`offline, keyless provenance of ${image}`, [...args, "--type", "slsaprovenance"]),
  ]);
}
