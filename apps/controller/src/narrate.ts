import { CountersignError, retryOf } from "@countersign/core";
import type { ControllerNews } from "./controller.ts";
import type { Logger } from "./log.ts";
import { sentenceOf } from "./sentence.ts";

/** One line for each outcome: constant text, fields for the rest; never a token, key, payload or response body. */
export function speakTo(log: Logger): (news: ControllerNews) => void {
  return (news) => {
    if (news.kind === "trouble") return log.warn({ reason: sentenceOf(news.error) }, news.what);
    if (news.kind === "visit-failed") {
      const [, namespace, name] = news.key.split("/");
      return log.warn(
        { "knative.dev/key": `${namespace}/${name}`, ...failureFields(news.error), againInMs: Math.round(news.againInMs) },
        "visit failed",
      );
    }
    const { kind, namespace, name, uid } = news.ref;
    const about = { "knative.dev/key": `${namespace}/${name}`, "knative.dev/kind": `tekton.dev.${kind}`, uid };
    if (news.kind === "released") return log.warn({ ...about, waitedMs: news.waitedMs }, "finalizer released unsigned");
    if (news.kind === "orphaned")
      return log.warn(
        { ...about, code: "witness.orphan-entry", entries: news.entries },
        "the log has entries that nothing stored belongs to",
      );
    if (news.kind === "signed") {
      const stored = news.outcomes.flatMap((outcome) => outcome.stored.flatMap(({ uris }) => uris));
      const via = [...new Set(news.outcomes.flatMap((outcome) => outcome.stored.flatMap((at) => at.via ?? [])))];
      return log.info({ ...about, routes: news.outcomes.map(({ route }) => route), stored, ...(via.length > 0 && { via }) }, "signed");
    }
    const failures = news.failures.map(failureFields);
    if (news.kind === "held") return log.warn({ ...about, failures }, "on hold");
    if (news.final) return log.error({ ...about, failures }, "given up");
    return log.warn({ ...about, failures }, "not signed yet");
  };
}

function failureFields(failure: unknown): { readonly code: string; readonly retry: string; readonly reason: string } {
  const code = CountersignError.is(failure) ? failure.code : "unknown.exception";
  return { code, retry: retryOf(failure), reason: sentenceOf(failure) };
}
