import { createHash } from "node:crypto";
import type { Call, RunRef } from "@countersign/core";
import type { KubeConnection } from "./connection.ts";
import { isNotFound } from "./kube-error.ts";

export interface RunEvent {
  readonly run: RunRef;
  readonly type: "Normal" | "Warning";
  /** A word that scripts can look for: "InternalError", "SigningFailed". */
  readonly reason: string;
  /** One sentence. Control characters go and it is cut at 1,000 bytes. */
  readonly message: string;
}

export interface Events {
  /** Tells people at the run. The same event again raises its count. Rejects only like any request; nobody waits for an Event. */
  tell(event: RunEvent, call: Call): Promise<void>;
}

export interface EventsOptions {
  readonly connection: KubeConnection;
  /** "taskrun-controller" and "pipelinerun-controller", as Tekton Chains names itself. */
  readonly now?: () => Date;
  /** At most one event of a kind for a run in this time. Default 60 s. */
  readonly quietMs?: number;
}

/** core/v1 Events. A deterministic name lets the second teller count up instead of creating another. */
export function clusterEvents({ connection, now = () => new Date(), quietMs = 60_000 }: EventsOptions): Events {
  const told = new Map<string, Told>();
  return {
    async tell({ run, type, reason, message }, { signal }) {
      const sentence = oneLine(message);
      const id = createHash("sha256").update([run.uid, reason, sentence].join("\0")).digest("hex").slice(0, 16);
      const at = now();
      const before = told.get(id);
      if (before && at.getTime() - before.at < quietMs) return;
      const count = (before?.count ?? 0) + 1;
      remember(told, id, { at: at.getTime(), count });
      const name = `${run.name.slice(0, 230).replace(/[^a-z0-9]+$/, "")}.${id}`; // a DNS subdomain of at most 253
      const folder = `/api/v1/namespaces/${encodeURIComponent(run.namespace)}/events`;
      const time = `${at.toISOString().slice(0, 19)}Z`;
      // Nobody grants us to read Events: an earlier process's count is unknown, but one of the two was told before.
      const patch = { lastTimestamp: time, count: Math.max(2, count) };
      const body = {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace: run.namespace },
        involvedObject: { apiVersion: "tekton.dev/v1", kind: run.kind, namespace: run.namespace, name: run.name, uid: run.uid },
        reason,
        message: sentence,
        type,
        source: { component: `${run.kind.toLowerCase()}-controller` },
        firstTimestamp: time,
        lastTimestamp: time,
        count,
      };
      await connection
        .request({ verb: "create", resource: "events", path: folder, body, signal })
        .catch(async (error: { code?: number }) => {
          if (error.code !== 409) throw error;
          const contentType = "application/merge-patch+json";
          const request = {
            verb: "patch",
            resource: "events",
            path: `${folder}/${encodeURIComponent(name)}`,
            contentType,
            body: patch,
            signal,
          } as const;
          await connection.request(request).catch((gone: unknown) => (isNotFound(gone) ? undefined : Promise.reject(gone)));
        });
    },
  };
}

const oneLine = (message: string): string => {
  const bytes = Buffer.from(message.replace(/[\p{Cc}\u2028\u2029]+/gu, " "));
  // stream: a character that the cut goes through is left out.
  return new TextDecoder().decode(bytes.subarray(0, 1000), { stream: true });
};

interface Told {
  readonly at: number;
  readonly count: number;
}

/** The youngest thousand are enough to keep quiet about. */
function remember(told: Map<string, Told>, id: string, now: Told): void {
  told.delete(id);
  told.set(id, now);
  const oldest = told.size > 1000 ? told.keys().next().value : undefined;
  if (oldest !== undefined) told.delete(oldest);
}
