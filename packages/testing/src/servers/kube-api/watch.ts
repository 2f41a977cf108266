import type { ServerResponse } from "node:http";
import type { ObjectStore } from "./object-store.ts";
import type { KubeObject } from "./objects.ts";
import { badRequest, Refusal } from "./refusal.ts";
import { groupVersion, type Resource } from "./resources.ts";
import { selector } from "./selector.ts";
import { viewFor } from "./view.ts";

export interface Watched {
  readonly of: Resource;
  /** All of them when absent. */
  readonly namespace: string | undefined;
}

/** Streams changes until the client goes or timeoutSeconds are over. */
export function watch(
  store: ObjectStore,
  watched: Watched,
  query: URLSearchParams,
  accept: string,
  bookmarkEveryMs: number,
  response: ServerResponse,
): void {
  const { of, namespace } = watched;
  const matches = selector(query);
  const view = viewFor(accept);
  const from = query.get("resourceVersion") ?? "";
  const initial = query.get("sendInitialEvents") === "true";
  if (initial && query.get("resourceVersionMatch") !== "NotOlderThan") {
    throw new Refusal(
      422,
      "Invalid",
      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    );
  }
  if (!/^\d*$/.test(from)) throw badRequest(`invalid resource version "${from}"`);

  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  const frame = (type: string, object: object): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  const show = (type: string, object: KubeObject): void => frame(type, view([object], undefined));
  const bookmark = (more: object = {}): void => {
    if (query.get("allowWatchBookmarks") !== "true") return;
    const metadata = { resourceVersion: `${store.revision()}`, ...more };
    frame("BOOKMARK", { kind: of.kind, apiVersion: groupVersion(of), metadata });
  };

  const fromNow = initial || from === "" || from === "0";
  if (fromNow) for (const object of store.list(of, namespace).filter(matches)) show("ADDED", object);
  if (initial) bookmark({ annotations: { "k8s.io/initial-events-end": "true" } });
  let stop: () => void;
  try {
    stop = store.follow(fromNow ? store.revision() : Number(from), (change) => {
      if (change.of !== of || (namespace !== undefined && change.object.metadata.namespace !== namespace)) return;
      const before = change.previous !== undefined && matches(change.previous);
      const now = change.type !== "DELETED" && matches(change.object);
      // What a selector no longer matches is gone for this watcher, and the other way round.
      if (now) show(before ? "MODIFIED" : "ADDED", change.object);
      else if (before) show("DELETED", change.object);
    });
  } catch (error) {
    // The stream has begun: the refusal is its only frame.
    frame("ERROR", error instanceof Refusal ? error.status : { kind: "Status", message: `${error}` });
    return void response.end();
  }

  const beat = setInterval(bookmark, bookmarkEveryMs);
  const seconds = Number(query.get("timeoutSeconds") ?? 0);
  const end = seconds > 0 ? setTimeout(finish, seconds * 1000) : undefined;
  response.on("close", () => {
    stop();
    clearInterval(beat);
    clearTimeout(end);
  });
  function finish(): void {
    bookmark();
    response.end();
  }
}
