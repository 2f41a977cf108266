import type { ServerResponse } from "node:http";
import type { Call } from "./call.ts";
import type { ObjectStore } from "./object-store.ts";
import { badRequest, invalid, Refusal } from "./refusal.ts";
import { selector } from "./selector.ts";

/** Streams changes until the client goes or timeoutSeconds are over. */
export function watch(store: ObjectStore, { of, namespace, query }: Call, bookmarkEveryMs: number, response: ServerResponse): void {
  const matches = selector(query);
  const from = Number(query.get("resourceVersion"));
  const isInitial = query.get("sendInitialEvents") === "true";
  if (isInitial && !query.has("resourceVersionMatch")) throw invalid(of, "", "resourceVersionMatch", "NotOlderThan is required");
  if (Number.isNaN(from)) throw badRequest("the resourceVersion is no number");

  response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
  const frame = (type: string, object: object): unknown => response.write(`${JSON.stringify({ type, object })}\n`);
  const bookmark = (more: object = {}): void => {
    const metadata = { resourceVersion: `${store.revision}`, ...more };
    if (query.get("allowWatchBookmarks") === "true") frame("BOOKMARK", { kind: of.kind, apiVersion: of.apiVersion, metadata });
  };
  const isFromNow = isInitial || from === 0;
  if (isFromNow) for (const object of store.list(of.plural, namespace).filter(matches)) frame("ADDED", object);
  if (isInitial) bookmark({ annotations: { "k8s.io/initial-events-end": "true" } });
  const isLate = !isFromNow && from < store.forgotten;
  // The stream has begun: the refusal is its only frame.
  if (isLate) frame("ERROR", new Refusal(410, "Expired", `too old resource version: ${from} (${store.forgotten})`).status);
  if (isLate) return void response.end();

  const stop = store.follow(isFromNow ? store.revision : from, (object, previous, isGone) => {
    if (object.kind !== of.kind || (namespace && object.metadata.namespace !== namespace)) return;
    // What a selector no longer matches is gone for this watcher, and the other way round.
    const wasThere = previous !== undefined && matches(previous);
    if (!isGone && matches(object)) frame(wasThere ? "MODIFIED" : "ADDED", object);
    else if (wasThere) frame("DELETED", object);
  });
  const beat = setInterval(bookmark, bookmarkEveryMs);
  const seconds = Number(query.get("timeoutSeconds"));
  const end = seconds > 0 ? setTimeout(() => response.end(bookmark()), seconds * 1000) : undefined;
  response.on("close", () => [stop(), clearInterval(beat), clearTimeout(end)]);
}
