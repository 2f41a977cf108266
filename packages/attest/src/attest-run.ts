import { messageOf, sameBytes, seenAt, sha256 } from "@countersign/bundle";
import {
  type AnyRun,
  type Attestation,
  type Call,
  CountersignError,
  type Evidence,
  type Found,
  type Route,
  type StorageBackend,
  type StoredAt,
  type Where,
} from "@countersign/core";
import type { Draft, Drafts } from "./drafts.ts";
import { type Ledger, memoryLedger } from "./ledger.ts";
import { type Observer, unobserved } from "./observe.ts";
import type { Outcome, Report } from "./report.ts";
import { mapLimit, settle } from "./settle.ts";

export interface AttestOptions extends Call {
  /** What earlier tries of this process signed. Default: no memory. */
  readonly ledger?: Ledger;
  /** What outlives it. Without, a log is asked for what an earlier process had it see, where it can be asked. */
  readonly drafts?: Drafts;
  readonly observe?: Observer;
}

/** All routes of a run, four at a time. A failure is a value in the report; an abort is nobody's failure and rejects. */
export async function attestRun(run: AnyRun, routes: readonly Route[], options: AttestOptions): Promise<Report> {
  const outcomes = await mapLimit(routes, 4, (route) => attestRoute(route, run, options));
  options.signal.throwIfAborted();
  return { outcomes };
}

async function attestRoute(route: Route, run: AnyRun, options: AttestOptions): Promise<Outcome> {
  const outcome = { route: route.id, artifact: route.artifact };
  try {
    const task = taskOf(route, run, options);
    const places = await settle(route.backends, async (backend) => ({ backend, held: await heldBy(backend, task) }));
    if (places.failures.length > 0 && places.done.length === 0) return { ...outcome, stored: [], failures: places.failures };
    const remembered = await recognised([...task.remembered, ...task.drafts], task);
    const held = places.done.find((place) => place.held)?.held;
    const logged = remembered || held ? nothingLogged : await loggedBefore(task);
    const attestation = await witnessed(remembered ?? held ?? logged.mine ?? (await signed(task)), task);
    const stored = await settle(places.done, async (place) => storedAt(place.backend, await belonging(place, attestation, task), task));
    const failures = [...places.failures, ...stored.failures];
    return { ...outcome, attestation, stored: stored.done, failures, ...(logged.orphans.length > 0 && { orphans: logged.orphans }) };
  } catch (failure) {
    return { ...outcome, stored: [], failures: [failure] };
  }
}

/** One route at one visit: the payload, always formatted anew, and all that follows from it. */
interface Task extends Where {
  readonly route: Route;
  /** What gets signed. */
  readonly message: Uint8Array;
  /** Of the payload: sha256, hex. */
  readonly digest: string;
  readonly remembered: readonly Found[];
  remember(attestation: Attestation): Attestation;
  readonly drafts: readonly Draft[];
  /** Undefined: nobody writes drafts down. */
  readonly keep: ((draft: Draft) => Promise<void>) | undefined;
  readonly observe: Observer;
  readonly call: Call;
}

function taskOf(route: Route, run: AnyRun, options: AttestOptions): Task {
  const { signal, ledger = memoryLedger(), drafts, observe = unobserved } = options;
  const { artifact, id } = route;
  const payload = route.format();
  const digest = sha256(payload.body);
  const remember = (attestation: Attestation): Attestation => {
    ledger.remember(artifact, id, { digest, signature: attestation.signature, evidence: attestation.evidence });
    return attestation;
  };
  const message = messageOf(payload);
  return {
    ...{ route, artifact, payload, annotations: run.annotations, message, digest, observe, call: { signal } },
    ...{ remembered: ledger.recall(artifact, id), remember },
    drafts: (drafts?.recall(artifact, id) ?? []).filter((draft) => draft.digest === digest),
    keep: drafts && ((draft) => drafts.keep(artifact, id, draft)),
  };
}

/** After a crash the world is asked before it is written to. Where signing again gives the same bytes, storing again is enough. */
async function heldBy(backend: StorageBackend, task: Task): Promise<Attestation | undefined> {
  if (!task.route.signer.recognise) return undefined;
  return recognised(await findIn(backend, task), task);
}

/** An earlier signature counts if it is over these very bytes and the signer still stands by it. */
async function recognised(found: readonly Found[], task: Task): Promise<Attestation | undefined> {
  const { digest, message, artifact, payload, route, observe, call } = task;
  const same = found.filter((one) => one.digest === digest);
  if (same.length === 0) return undefined;
  const known = same.map((one) => ({ ...one.signature, ...seenBy(one.evidence) }));
  const signature = await observe("sign", route.signer.name, async () => route.signer.recognise?.(message, known, call));
  return signature && { artifact, payload, signature, evidence: evidenceFor(signature, same) };
}

interface Logged {
  readonly mine?: Attestation | undefined;
  /** Ours too, and nobody will store what they belong to. */
  readonly orphans: readonly Evidence[];
}
const nothingLogged: Logged = { orphans: [] };

/**
 * What a process that died between the log's answer and the first store had the log see is taken up again. Where drafts are written down and
 * none is there, the log has seen nothing; one that is there and no longer good was seen in time, too late, or never.
 */
async function loggedBefore(task: Task): Promise<Logged> {
  const { route, payload, digest, drafts, keep, observe, call } = task;
  if (!route.signer.recognise || (keep && drafts.length === 0)) return nothingLogged;
  const shown = keep && drafts.map(({ signature }) => signature);
  const all: Found[] = [];
  for (const witness of route.witnesses)
    all.push(...(await observe("witness", witness.name, async () => (await witness.find?.(payload, call, shown)) ?? [])));
  const found = all.filter((one) => one.digest === digest);
  const mine = await recognised(found, task);
  const orphans: Evidence[] = [];
  for (const one of found.filter((other) => !mine || !sameBytes(other.signature.bytes, mine.signature.bytes))) {
    const isOurs = shown?.some(({ bytes }) => sameBytes(bytes, one.signature.bytes)) || (await recognised([one], task));
    if (isOurs) orphans.push(...one.evidence);
  }
  return { mine, orphans };
}

/** What a place keeps already stays; where its signature is another one than ours, it needs its own witnesses. */
async function belonging({ held }: { readonly held: Attestation | undefined }, attestation: Attestation, task: Task): Promise<Attestation> {
  if (!held || sameBytes(held.signature.bytes, attestation.signature.bytes)) return attestation;
  return witnessed(held, task);
}

async function signed({ artifact, payload, message, route, remembered, observe, call }: Task): Promise<Attestation> {
  const signature = await observe("sign", route.signer.name, () => route.signer.sign(message, call));
  return { artifact, payload, signature, evidence: evidenceFor(signature, remembered) };
}

/** Stored only when every witness has spoken, and only with what they vouch for now. Each word is remembered as soon as it is heard. */
async function witnessed(attestation: Attestation, task: Task): Promise<Attestation> {
  const { route, remember, observe, call } = task;
  const words: Evidence[] = [];
  remember(attestation);
  for (const witness of route.witnesses) {
    if (witness.lasting) await writtenDown({ ...attestation, evidence: [...words, ...attestation.evidence] }, task);
    words.push(await observe("witness", witness.name, () => witness.testify(attestation, call)));
    remember({ ...attestation, evidence: [...new Set([...words, ...attestation.evidence])] });
  }
  return remember({ ...attestation, evidence: words });
}

/** Before a log sees it: a signature that the next life could not make again, unless a log has vouched for it already. */
async function writtenDown({ signature, evidence }: Attestation, { route, digest, drafts, keep }: Task): Promise<void> {
  if (!route.signer.recognise || !keep || evidence.some(({ kind }) => kind === "log-entry")) return;
  if (drafts.some((draft) => sameBytes(draft.signature.bytes, signature.bytes))) return;
  await keep({ digest, signature, evidence: [...new Set(evidence)] });
}

/** Stored means read back: what a verifier will find there is what we sent. */
async function storedAt(backend: StorageBackend, attestation: Attestation, task: Task): Promise<StoredAt> {
  const at = await task.observe("store", backend.name, () => backend.store(attestation, task.call));
  if (!backend.find || at.uris.length === 0) return at;
  const found = await findIn(backend, { ...task, annotations: { ...task.annotations, ...at.annotations } });
  if (found.some((one) => one.digest === task.digest && sameBytes(one.signature.bytes, attestation.signature.bytes))) return at;
  const message = `${backend.name} does not give back what it took for ${task.artifact.fullKey}: another writer or a lossy store; it is tried again`;
  throw new CountersignError("store.read-back", message, { retry: "counted" });
}

function findIn(backend: StorageBackend, { artifact, payload, annotations, observe, call }: Task): Promise<readonly Found[]> {
  return observe("store", backend.name, async () => (await backend.find?.({ artifact, payload, annotations }, call)) ?? []);
}

/** A certificate that has run out was good when somebody saw it. */
function seenBy(evidence: readonly Evidence[]): { readonly seenAt?: number } {
  const at = seenAt(evidence);
  return at === undefined ? {} : { seenAt: at };
}

function evidenceFor({ bytes }: Found["signature"], found: readonly Found[]): readonly Evidence[] {
  return found.find((one) => sameBytes(one.signature.bytes, bytes))?.evidence ?? [];
}
