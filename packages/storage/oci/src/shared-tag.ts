import { type Call, CountersignError } from "@countersign/core";
import { pause } from "@countersign/http";
import { type ManifestText, type OpenRepository, RegistryError, type StoredManifest, textOf } from "@countersign/oci-client";
import { pace, span } from "./pace.ts";
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
  { signal, lookAfterMs, onContention }: KeepOptions,
): Promise<void> {
  const call = { signal };
  const place = textOf({ ...repository.place, tag: at.tag });
  const { timed, calm, overtaken } = pace(lookAfterMs);
  let failed = 0;

  for (let round = 0; round < rounds; round += 1) {
    const reading = await read();
    const there = await sorted(reading);
    if (reading.stored && there.missing.length === 0) {
      // Whoever put it there looks after it, unless it was us.
      if (!entry.sent) return keptAll([entry], reading.stored);
      if (await stays(reading.stored.digest)) return keptAll(there.held, reading.stored);
      continue;
    }
    if (there.missing.some(({ landed }) => landed)) onContention?.(place, "lost");
    const { held, missing, text } = await merged(reading, there);
    if (await isOutdated(reading)) continue;
    const digest = await write(text, missing, reading.stored?.etag);
    if (digest && (await stays(digest))) return keptAll([...held, ...missing], { ...text, digest });
  }
  throw contended(place);

  async function read(): Promise<Reading<D>> {
    const asOf = performance.now();
    const stored = await timed(repository.manifest(at.tag, call));
    return { asOf, stored, document: stored && at.parse(stored) };
  }

  /** One after the other: what has to be read for the first is known for the next. */
  async function sorted({ document }: Reading<D>): Promise<Sorted<P, D>> {
    const wanted = [...board].filter((one) => one === entry || (one.brought && !one.kept));
    const held: Entry<P, D>[] = [];
    for (const one of wanted) if (document !== undefined && (await at.holds(document, one.piece, call))) held.push(one);
    return { held, missing: wanted.filter((one) => !held.includes(one)) };
  }

  /** Our own blobs and those of the document are put side by side. Who has brought his own meanwhile is taken along. */
  async function merged(reading: Reading<D>, there: Sorted<P, D>): Promise<Sorted<P, D> & { readonly text: ManifestText }> {
    const { document } = reading;
    const next = ({ missing }: Sorted<P, D>): ReturnType<typeof at.added> =>
      at.added(
        document,
        missing.map(({ piece }) => piece),
      );
    const put = (blobs: readonly Uint8Array[]): Promise<unknown> => Promise.all(blobs.map((bytes) => repository.putBlob(bytes, call)));
    const first = next(there);
    await Promise.all([there.missing.includes(entry) && brought(entry, document, call), put(first.blobs)]);
    const now = await sorted(reading);
    const more = now.missing.some((one) => !there.missing.includes(one)) ? next(now) : undefined;
    if (more) await put(more.blobs);
    const { mediaType, bytes } = more ?? first;
    return { ...(more ? now : there), text: { mediaType, bytes } };
  }

  async function isOutdated({ asOf, stored }: Reading<D>): Promise<boolean> {
    if (performance.now() - asOf <= span || (await timed(repository.digestOf(at.tag, call))) === stored?.digest) return false;
    return met();
  }

  /** Undefined where it did not work and may be tried again: a write that is repeated blindly could come too late. */
  async function write(text: ManifestText, missing: readonly Entry<P, D>[], ifMatch: string | undefined): Promise<string | undefined> {
    for (const one of missing) one.sent = true;
    try {
      const digest = await timed(repository.putManifest(at.tag, text, { ...call, ifMatch, tries: 1 }));
      for (const one of missing) one.landed = true;
      return digest;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      if (error.status === 412) return void met();
      if (!error.outage || error.retryAfterMs !== undefined || failed >= faults) throw error;
      await pause(50 * 2 ** failed, signal);
      failed += 1;
      return undefined;
    }
  }

  /** Those who read before we wrote must have written by now. */
  async function stays(digest: string): Promise<boolean> {
    await calm(call);
    return (await repository.digestOf(at.tag, call)) === digest || !met();
  }

  function met(): true {
    overtaken();
    onContention?.(place, "moved");
    return true;
  }
}

interface Reading<D> {
  /** Before it was asked for (performance.now). */
  readonly asOf: number;
  readonly stored: StoredManifest | undefined;
  readonly document: D | undefined;
}

interface Sorted<P, D> {
  readonly held: readonly Entry<P, D>[];
  readonly missing: readonly Entry<P, D>[];
}

function keptAll<P, D>(entries: readonly Entry<P, D>[], stored: StoredManifest): void {
  for (const entry of entries) entry.kept = stored;
}

const contended = (place: string): CountersignError =>
  new CountersignError("store.contended", `${place}: other writers kept overwriting it; it is tried again`, { retry: "wait" });
