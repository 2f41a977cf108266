import type { Call } from "@countersign/core";
import { backOffMs, pause } from "./back-off.ts";
import type { KubeConnection } from "./connection.ts";
import { isExpired, KubeError, statusOf } from "./kube-error.ts";

/** Told what the cluster holds. The objects themselves are thrown away: only what `project` keeps of them stays. */
export interface WatchListener<T> {
  seen(item: T): void;
  gone(item: T): void;
  /** A list is complete: these keys exist, all others are gone. Called at first sync and after each new list. */
  listed(keys: ReadonlySet<string>): void;
  /** The loop had trouble and goes on; for logs and metrics. */
  trouble?(error: unknown): void;
}

export interface ListWatchOptions<T> {
  readonly connection: KubeConnection;
  /** "taskruns", "configmaps". */
  readonly resource: string;
  /** "/apis/tekton.dev/v1/taskruns". */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly project: (object: unknown) => T;
  readonly keyOf: (item: T) => string;
  readonly listener: WatchListener<T>;
  /** Objects in the first page; later ones adapt to about 4 MB. Default 100. */
  readonly firstPage?: number;
  /** A watch that is silent for so long is taken for dead. Bookmarks come once a minute. Default 100 s. */
  readonly idleMs?: number;
  readonly random?: () => number;
  /** How to wait; an abort ends it at once, without an error. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const pageBytes = 4 * 2 ** 20;

/** Lists, watches from there, and begins anew whenever it must, until the signal aborts. Never rejects. */
export async function listWatch<T>(options: ListWatchOptions<T>, { signal }: Call): Promise<void> {
  const { listener, random = Math.random, sleep = pause } = options;
  let version: string | undefined;
  let failed = 0;
  while (!signal.aborted) {
    try {
      version ??= await list(options, signal);
      const from = version;
      version = await watch(options, from, signal, (at) => {
        version = at;
        failed = 0;
      });
      // A server that ends each watch at once must not be asked in a tight loop.
      if (version === from) await sleep(backOffMs(failed++, { firstMs: 200, maxMs: 30_000, random }), signal);
      else failed = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) version = undefined;
      listener.trouble?.(error);
      const asked = error instanceof KubeError ? (error.status.retryAfterMs ?? 0) : 0;
      await sleep(Math.max(Math.min(asked, 60_000), backOffMs(failed++, { firstMs: 200, maxMs: 30_000, random })), signal);
    }
  }
}

/** All pages. A continuation that expired on the way begins the list anew: the loop does that. */
async function list<T>(
  { connection, resource, path, query = {}, project, keyOf, listener, firstPage = 100 }: ListWatchOptions<T>,
  signal: AbortSignal,
): Promise<string> {
  const keys = new Set<string>();
  let limit = firstPage;
  let next: string | undefined;
  for (;;) {
    const text = await connection.request({ verb: "list", resource, path, query: { ...query, limit, continue: next }, signal });
    const { items, metadata } = JSON.parse(text) as ListBody;
    for (const object of items ?? []) {
      const item = project(object);
      keys.add(keyOf(item));
      listener.seen(item);
    }
    next = metadata?.continue || undefined;
    if (!next) {
      listener.listed(keys);
      return metadata?.resourceVersion ?? "";
    }
    const each = text.length / Math.max(1, items?.length ?? 1);
    limit = Math.max(10, Math.min(1000, Math.floor(pageBytes / each)));
  }
}

/** One watch, to its end. Resolves to the version to go on from. */
async function watch<T>(
  options: ListWatchOptions<T>,
  from: string,
  signal: AbortSignal,
  progress: (version: string) => void,
): Promise<string> {
  const { connection, resource, path, query = {}, project, listener, idleMs = 100_000, random = Math.random } = options;
  const timeoutSeconds = Math.round(300 + 300 * random());
  const asked = { ...query, watch: 1, resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
  const lines = await connection.lines({ verb: "watch", resource, path, query: asked, signal, idleMs });
  let version = from;
  for await (const line of lines) {
    const { type, object } = JSON.parse(line) as WatchFrame;
    if (type === "ERROR") throw watchError(resource, object);
    version = object?.metadata?.resourceVersion ?? version;
    if (type === "DELETED") listener.gone(project(object));
    else if (type !== "BOOKMARK") listener.seen(project(object));
    progress(version);
  }
  return version;
}

function watchError(resource: string, object: unknown): KubeError {
  const { code } = (object ?? {}) as { code?: unknown };
  const status = statusOf(typeof code === "number" ? code : 500, object);
  return new KubeError(`the watch on ${resource} ended with ${status.code}${status.reason ? ` ${status.reason}` : ""}`, status);
}

interface ListBody {
  readonly items?: readonly unknown[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}
interface WatchFrame {
  readonly type: string;
  readonly object?: { readonly metadata?: { readonly resourceVersion?: string } };
}
