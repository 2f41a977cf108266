import { readFile, stat } from "node:fs/promises";
import { CountersignError, type TrustSource } from "@countersign/core";
import type { Http } from "@countersign/http";
import type { SigstoreTrust } from "./trust.ts";
import { trustedRootFrom } from "./trusted-root.ts";
import { publicGoodMirror, type TufOptions, tufRepository } from "./tuf.ts";

/** The first that is given counts. */
export interface TrustSourceOptions {
  /** A trusted_root.json. */
  readonly text?: string;
  /** Path of one; read again when it changes. */
  readonly file?: string;
  /** A TUF repository that holds one; asked again every hour. */
  readonly tuf?: TufOptions;
  /** How to reach the repository. Default: a connection of its own. */
  readonly http?: Http;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Nothing is read or contacted before the first call, and no socket is opened unless `tuf` is what counts. */
export function trustSource(options: TrustSourceOptions): TrustSource<SigstoreTrust> {
  const { text, file, tuf, http, now = Date.now } = options;
  if (text !== undefined) return textSource(text);
  if (file !== undefined) return fileSource(file);
  return tuf ? tufSource(tuf, http, now) : async () => undefined;
}

function textSource(text: string): TrustSource<SigstoreTrust> {
  let trust: SigstoreTrust | undefined;
  return async () => (trust ??= trustedRootFrom(text));
}

function fileSource(file: string): TrustSource<SigstoreTrust> {
  let held: { readonly version: string; readonly trust: SigstoreTrust } | undefined;
  return async () => {
    const version = await versionOf(file);
    if (held?.version !== version) held = { version, trust: trustedRootFrom(await textOf(file)) };
    return held.trust;
  };
}

async function versionOf(file: string): Promise<string> {
  const { mtimeNs, ino, size } = await stat(file, { bigint: true }).catch((error: unknown) => Promise.reject(unreadable(file, error)));
  return `${mtimeNs} ${ino} ${size}`;
}

const textOf = (file: string): Promise<string> => readFile(file, "utf8").catch((error: unknown) => Promise.reject(unreadable(file, error)));

function unreadable(file: string, error: unknown): CountersignError {
  const { code = "unknown reason" } = error as NodeJS.ErrnoException;
  return fault(`the trust root ${file} cannot be read (${code}): give a trusted_root.json that is there and readable`, "hold");
}

const hour = 3_600_000;
const minute = 60_000;
const visitMs = 60_000;

function tufSource(options: TufOptions, given: Http | undefined, now: () => number): TrustSource<SigstoreTrust> {
  const mirror = options.mirror ?? publicGoodMirror;
  let held: { readonly trust: SigstoreTrust; readonly at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let visit: Promise<SigstoreTrust> | undefined;
  // it remembers what was seen last, so that a mirror cannot go back
  const repository = tufRepository(options);

  const isDue = (fresh: boolean): boolean => {
    if (!held) return true;
    const since = now() - triedAt;
    return fresh ? since >= minute : now() - held.at >= hour && since >= minute;
  };

  async function refreshed(): Promise<SigstoreTrust> {
    triedAt = now();
    const wire = given ?? (await import("@countersign/http")).http({ userAgent: "countersign" });
    try {
      const trust = trustedRootFrom(await repository.load(wire, AbortSignal.timeout(visitMs)));
      held = { trust, at: now() };
      return trust;
    } catch (error) {
      // An hour-old root is no worse because the mirror is down; a day-old one may lack what was revoked.
      if (held && now() - held.at < 24 * hour) return held.trust;
      throw tufFault(mirror, error);
    } finally {
      visit = undefined;
      if (!given) await wire.close();
    }
  }

  return async ({ signal, fresh = false }) => {
    signal.throwIfAborted();
    if (held && !isDue(fresh)) return held.trust;
    visit ??= refreshed();
    return unlessAborted(visit, signal);
  };
}

/** The visit goes on for whoever else waits for it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", stop));
}

/** The words of tuf-js name roles, versions and hashes; those of ours about the network an address. Neither repeats an answer. */
function tufFault(mirror: string, error: unknown): CountersignError {
  if (CountersignError.is(error)) return error;
  const { name = "", message = "" } = (error ?? {}) as Partial<Error>;
  const isOutage = /HttpError|DownloadHTTPError|TimeoutError/.test(name) || /HttpError|DownloadHTTPError|the mirror answered/.test(message);
  const words = message.replace(/\s+/g, " ").slice(0, 300);
  return isOutage
    ? fault(`the trust root could not be fetched from ${mirror}: ${words}; give a trusted_root.json as a file, or try again`, "wait", error)
    : fault(`the trust root of ${mirror} is refused: ${words}; ask whoever keeps that mirror`, "hold", error);
}

const fault = (sentence: string, retry: "hold" | "wait", cause?: unknown): CountersignError =>
  new CountersignError("config.trust-root", sentence, { retry, ...(cause !== undefined && { cause }) });
