import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { WorkWatcher } from "./work.ts";

const names = {
  TaskRun: "github.com.tektoncd.chains.pkg.reconciler.taskrun.Reconciler",
  PipelineRun: "github.com.tektoncd.chains.pkg.reconciler.pipelinerun.Reconciler",
} as const;
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The queue's metrics under Knative's names and with its label, one queue for each kind. `now`: epoch milliseconds. */
export function queueMetrics(registry: Registry, now: () => number): WorkWatcher {
  const more: { labelNames: "name"[]; registers: Registry[] } = { labelNames: ["name"], registers: [registry] };
  const depth = new Gauge({ name: "kn_workqueue_depth", help: "Runs to visit", ...more });
  const adds = new Counter({ name: "kn_workqueue_adds_total", help: "Runs queued", ...more });
  const retries = new Counter({ name: "kn_workqueue_retries_total", help: "Runs that came back later", ...more });
  const waited = new Histogram({ name: "kn_workqueue_queue_duration_seconds", help: "Time in the queue", buckets, ...more });
  const took = new Histogram({ name: "kn_workqueue_process_duration_seconds", help: "Time of a visit", buckets, ...more });
  const begun = new Map<string, number>();
  new Gauge({
    ...{ name: "kn_workqueue_unfinished_work_seconds", help: "Age of the visits under way, together", ...more },
    collect() {
      for (const name of Object.values(names)) this.set({ name }, 0);
      for (const [key, since] of begun) this.inc({ name: nameOf(key) }, Math.max(0, now() - since) / 1000);
    },
  });
  for (const name of Object.values(names)) {
    depth.set({ name }, 0);
    for (const counter of [adds, retries]) counter.inc({ name }, 0);
    for (const histogram of [waited, took]) histogram.zero({ name });
  }
  return {
    queued(key) {
      depth.inc({ name: nameOf(key) });
      adds.inc({ name: nameOf(key) });
    },
    retried: (key) => retries.inc({ name: nameOf(key) }),
    started(key, ms) {
      begun.set(key, now());
      depth.dec({ name: nameOf(key) });
      waited.observe({ name: nameOf(key) }, ms / 1000);
    },
    ended(key, ms) {
      begun.delete(key);
      took.observe({ name: nameOf(key) }, ms / 1000);
    },
  };
}

const nameOf = (key: string): string => (key.startsWith("PipelineRun/") ? names.PipelineRun : names.TaskRun);
