import { type Call, retryOf } from "@countersign/core";
import { type Answer, garbled, jsonIn, type Server } from "./server.ts";

/** The names of a log's entries about a payload, the latest last; none where the log has no index. */
export type SearchIndex = (sha256: string, call: Call) => Promise<readonly string[]>;

/** A log that has no index will have none a moment later. */
const askAgainMs = 600_000;
/** Searching is a favour that Rekor does as well as it can. An index that stays broken so long must not stop those who sign. */
const patienceMs = 600_000;
/** Whoever knows a payload can log it with keys of their own; so many entries are looked at. */
const mostFound = 40;

export function searchIndex({ server, now }: { readonly server: Server; readonly now: () => number }): SearchIndex {
  let silentUntil = Number.NEGATIVE_INFINITY;
  let brokenSince: number | undefined;
  return async (sha256, call) => {
    if (now() < silentUntil) return [];
    try {
      const uuids = await asked(sha256, call);
      brokenSince = undefined;
      if (!uuids) silentUntil = now() + askAgainMs;
      return uuids ?? [];
    } catch (error) {
      if (retryOf(error) !== "wait") throw error;
      brokenSince ??= now();
      if (now() - brokenSince < patienceMs) throw error;
      silentUntil = now() + askAgainMs;
      return [];
    }
  };

  /** Undefined: there is no index. */
  async function asked(sha256: string, call: Call): Promise<readonly string[] | undefined> {
    const body = JSON.stringify({ hash: `sha256:${sha256}` });
    const answer = await server.ask({ method: "POST", path: "/api/v1/index/retrieve", body }, call);
    if (answer.status === 200) return uuidsFrom(answer);
    if ([400, 404, 405, 501].includes(answer.status)) return undefined;
    throw server.refusal(answer, "the log does not let its index be searched; have the way to it allow that, or answer 404");
  }
}

function uuidsFrom(answer: Answer): readonly string[] {
  const list = jsonIn(answer);
  if (!Array.isArray(list)) throw garbled(answer);
  const uuids = list.filter((uuid) => typeof uuid === "string" && /^([0-9a-f]{64}|[0-9a-f]{80})$/i.test(uuid)) as string[];
  return uuids.slice(-mostFound);
}
