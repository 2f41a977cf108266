import { type Call, CountersignError } from "@countersign/core";
import { pause } from "@countersign/http";
import { type ManifestText, type OpenRepository, RegistryError, type StoredManifest, textOf } from "@countersign/oci-client";
import { turn } from "./turn.ts";

/** What stands at a tag that many write: layers in a manifest, descriptors in an index. D is its parsed form, undefined where nothing is. */
export interface SharedTag<P, D> {
  readonly tag: string;
  /** @throws RegistryError when something else stands there */
  parse(stored: StoredManifest): D;
  holds(document: D, piece: P, call: Call): boolean | Promise<boolean>;
  /** With these pieces added, and the blobs that it needs beside those of the pieces. */
  added(document: D | undefined, pieces: readonly P[]): ManifestText & { readonly blobs: readonly Uint8Array[] };
}

export interface Piece<P, D> {
  readonly piece: P;
  /** Puts the blobs of the piece there, in the name of whom it belongs to; those that the document has need not be put again. */
  bring(document: D | undefined, call: Call): Promise<unknown>;
}

export interface KeepOptions extends Call {
  /** Sets a time limit for a piece of work. */
  readonly inTime: <T>(work: (call: Call) => Promise<T>) => Promise<T>;
  /**
   * How long to wait before looking whether the tag stayed as it was written, given the slowest request so far (milliseconds). Default:
   * `span` and three times that.
   */
  readonly lookAfterMs?: ((slowestMs: number) => number) | undefined;
  /** Told each time another writer was found to have written in between, and each time that took away what we had written. */
  readonly onContention?: ((place: string, what: "moved" | "lost") => void) | undefined;
}

/** No writer writes later than this after it asked what stands there, or it asks again (milliseconds). */
const span = 100;
/** How often the tag is written when other writers keep overwriting it. */
const rounds = 16;
/** How often a write whose answer was lost is looked after. */
const faults = 3;

interface Entry<P, D> extends Piece<P, D> {
  brought: boolean;
  /** It was sent to the registry; what became of it is another matter. */
  sent: boolean;
  /** The registry said that it has it. */
  landed: boolean;
  /** What stood at the tag when it was found to stay there. */
  kept: StoredManifest | undefined;
}

/** Who wants something at a tag, in this process. */
const boards = new Map<string, Set<Entry<unknown, never>>>();

/**
 * Brings a piece into the document at a tag, and answers the document that was seen to stay. A tag has no lock: whoever read it before we
 * wrote it, and writes it after us, takes our piece away. So:
 *
 * - Every writer keeps the time between reading and writing short (`span`); where it got long, it asks once more before it writes.
 * - Having written, we wait longer than such a writer needs, then look. Where the tag still has the digest that we gave it, everybody who
 *   writes from now on has read our piece: one look, in the quiet case, and nothing more.
 * - Any other digest starts the wait again, whether our piece is in it or not: somebody who read before may still be about to write.
 * - All who wait in this process are taken along in one write. Each brings its own blobs, with its own credentials, so that nobody gets
 *   something written who may not write there himself.
 *
 * @throws CountersignError "store.contended", RegistryError
 */
export async function kept<P, D>(
  repository: OpenRepository,
  at: SharedTag<P, D>,
  mine: Piece<P, D>,
  options: KeepOptions,
): Promise<StoredManifest> {
  const { signal, inTime } = options;
  const key = textOf({ ...repository.place, tag: at.tag });
  const board = (boards.get(key) ?? new Set()) as unknown as Set<Entry<P, D>>;
  boards.set(key, board as unknown as Set<Entry<unknown, never>>);
  const entry: Entry<P, D> = { ...mine, brought: false, sent: false, landed: false, kept: undefined };
  board.add(entry);
  try {
    if (board.size > 1) await inTime((call) => brought(entry, undefined, call));
    await turn(key, signal, async () => {
      if (!entry.kept) await inTime((call) => written(repository, at, entry, board, { ...options, ...call }));
    });
  } finally {
    board.delete(entry);
    if (board.size === 0) boards.delete(key);
  }
  if (!entry.kept) throw contended(key);
  return entry.kept;
}

async function brought<P, D>(entry: Entry<P, D>, document: D | undefined, call: Call): Promise<void> {
  if (entry.brought) return;
  await entry.bring(document, call);
  entry.brought = true;
}

/** Read, merge, write, wait, look, until the tag is seen to stay. */
async function written<P, D>(
  repository: OpenRepository,
  at: SharedTag<P, D>,
  entry: Entry<P, D>,
  board: ReadonlySet<Entry<P, D>>,
  { signal, lookAfterMs = (slowest) => span + Math.max(50, 3 * slowest), onContention }: KeepOptions,
): Promise<void> {
  const call = { signal };
  const place = textOf({ ...repository.place, tag: at.tag });
  let slowest = 0;
  let lost = 0;
  let failed = 0;
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const start = performance.now();
    const value = await work;
    slowest = Math.max(slowest, performance.now() - start);
    return value;
  };
  const overtaken = (): void => {
    lost += 1;
    onContention?.(place, "moved");
  };
  /** Each time we were overtaken we wait longer: the other writer is slower than we are. Nobody waits as long as his neighbour. */
  const calm = (): Promise<void> => pause(lookAfterMs(slowest) * Math.min(1 + lost / 2, 4) * (1 + Math.random() / 2), signal);

  for (let round = 0; round < rounds; round += 1) {
    const asOf = performance.now();
    const stored = await timed(repository.manifest(at.tag, call));
    const document = stored && at.parse(stored);
    const looked = async (): Promise<{ held: readonly Entry<P, D>[]; missing: readonly Entry<P, D>[] }> => {
      const wanted = [...board].filter((one) => one === entry || (one.brought && !one.kept));
      // One after the other: what has to be read for the first is known for the next.
      const there: boolean[] = [];
      for (const { piece } of wanted) there.push(document !== undefined && (await at.holds(document, piece, call)));
      return { held: wanted.filter((_, n) => there[n]), missing: wanted.filter((_, n) => !there[n]) };
    };
    let { held, missing } = await looked();
    if (stored && missing.length === 0) {
      if (!entry.sent) return keptAll([entry], stored);
      await calm();
      if ((await repository.digestOf(at.tag, call)) === stored.digest) return keptAll(held, stored);
      overtaken();
      continue;
    }
    if (missing.some(({ landed }) => landed)) onContention?.(place, "lost");
    const withMissing = (): ReturnType<typeof at.added> =>
      at.added(
        document,
        missing.map(({ piece }) => piece),
      );
    const putAll = (blobs: readonly Uint8Array[]): readonly Promise<string>[] => blobs.map((bytes) => repository.putBlob(bytes, call));
    let next = withMissing();
    await Promise.all([...(missing.includes(entry) ? [brought(entry, document, call)] : []), ...putAll(next.blobs)]);
    // Who has brought his own in the meantime need not write again.
    const now = await looked();
    if (now.missing.some((one) => !missing.includes(one))) {
      ({ held, missing } = now);
      next = withMissing();
      await Promise.all(putAll(next.blobs));
    }
    const { blobs: _, ...text } = next;
    if (performance.now() - asOf > span && (await timed(repository.digestOf(at.tag, call))) !== stored?.digest) {
      overtaken();
      continue;
    }
    for (const one of missing) one.sent = true;
    let digest: string;
    try {
      digest = await timed(repository.putManifest(at.tag, text, { ...call, ifMatch: stored?.etag, tries: 1 }));
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      if (error.status === 412) overtaken();
      else if (error.outage && error.retryAfterMs === undefined && failed < faults) await pause(50 * 2 ** failed, signal);
      else throw error;
      failed += error.status === 412 ? 0 : 1;
      continue;
    }
    for (const one of missing) one.landed = true;
    await calm();
    if ((await repository.digestOf(at.tag, call)) === digest) return keptAll([...held, ...missing], { ...text, digest });
    overtaken();
  }
  throw contended(place);
}

function keptAll<P, D>(entries: readonly Entry<P, D>[], stored: StoredManifest): void {
  for (const entry of entries) entry.kept = stored;
}

const contended = (place: string): CountersignError =>
  new CountersignError("store.contended", `${place}: other writers kept overwriting it; it is tried again`, { retry: "wait" });
