import type { Observer, Outcome } from "@countersign/attest";
import { CountersignError, retryOf } from "@countersign/core";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { queueMetrics } from "./queue-metrics.ts";
import type { WorkWatcher } from "./work.ts";

export interface Telemetry {
  readonly observe: Observer;
  /** What became of a run's routes at one visit. */
  attested(kind: string, outcomes: readonly Outcome[]): void;
  signed(kind: string, finishedAt: number): void;
  failed(kind: string, failures: readonly unknown[], final: boolean): void;
  released(): void;
  configIs(valid: boolean): void;
  readonly queue: WorkWatcher;
  readonly registry: Registry;
}

export interface TelemetryGauges {
  readonly waiting: () => number;
  readonly held: () => number;
}

const kinds = ["taskrun", "pipelinerun"] as const;

/**
 * Prometheus, under the names of Tekton Chains where it has one, and from the start with zero. Labels are stage, plug-in and error
 * code; never a name from a run, never a sentence.
 */
export function telemetry(gauges: TelemetryGauges, now: () => number): Telemetry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counters = (name: string, help: string): ((kind: string, by?: number) => void) => {
    const byKind = new Map<string, Counter>(
      kinds.map((kind) => [kind, new Counter({ name: `watcher_${kind}_${name}_total`, help, registers })]),
    );
    return (kind, by = 1) => byKind.get(kind.toLowerCase())?.inc(by);
  };
  const created = counters("sign_created", "Signatures made");
  const uploaded = counters("payload_uploaded", "Entries of a transparency log");
  const stored = counters("payload_stored", "Stores of an attestation in one backend");
  const marked = counters("marked_signed", "Runs marked as signed");
  const failures = new Map<string, Counter<"error_type">>(
    kinds.map((kind) => [
      kind,
      new Counter({ name: `watcher_${kind}_signing_failures_total`, help: "Failed tries", labelNames: ["error_type"], registers }),
    ]),
  );
  for (const counter of failures.values()) for (const type of errorTypes) counter.inc({ error_type: type }, 0);
  const errors = new Counter({
    name: "countersign_failures_total",
    help: "Failures by stage, code and what they ask for",
    labelNames: ["stage", "code", "retry"],
    registers,
  });
  const failed = new Counter({ name: "countersign_runs_failed_total", help: "Runs given up", registers });
  const forced = new Counter({
    name: "countersign_finalizers_forced_total",
    help: "Finalizers taken off because a deletion waited too long",
    registers,
  });
  const stage = new Histogram({
    name: "countersign_stage_seconds",
    help: "Time in a plug-in",
    labelNames: ["stage", "plugin", "outcome"],
    registers,
  });
  const age = new Histogram({
    name: "countersign_signed_after_seconds",
    help: "From a run's completion to its mark",
    buckets: [0.5, 1, 2, 5, 10, 30, 60, 300, 3600],
    registers,
  });
  const valid = new Gauge({
    name: "countersign_config_valid",
    help: "1: the ConfigMap is in force; 0: it is rejected and an older one is",
    registers,
  });
  const asked = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value());
      },
    });
  asked("countersign_runs_waiting", "Runs that wait for their next try", gauges.waiting);
  asked("countersign_runs_held", "Runs on hold until key or configuration change", gauges.held);
  // Dashboards of Tekton Chains look for these two.
  new Gauge({ name: "target_info", help: "What is measured", labelNames: ["service_name"], registers }).set({ service_name: "watcher" }, 1);
  new Gauge({ name: "go_info", help: "There is no Go here", labelNames: ["version"], registers }).set({ version: "none" }, 1);

  return {
    registry,
    queue: queueMetrics(registry, now),
    async observe(at, plugin, work) {
      const end = stage.startTimer({ stage: at, plugin });
      try {
        const value = await work();
        end({ outcome: "ok" });
        return value;
      } catch (error) {
        end({ outcome: "failed" });
        throw error;
      }
    },
    attested(kind, outcomes) {
      const attestations = outcomes.flatMap(({ attestation }) => attestation ?? []);
      created(kind, attestations.length);
      uploaded(kind, attestations.flatMap(({ evidence }) => evidence.filter((one) => one.kind === "log-entry")).length);
      stored(kind, outcomes.flatMap((outcome) => outcome.stored.filter(({ uris }) => uris.length > 0)).length);
      const orphans = outcomes.flatMap((outcome) => outcome.orphans ?? []).length;
      if (orphans > 0) errors.inc({ stage: "witness", code: "witness.orphan-entry", retry: "never" }, orphans);
    },
    signed(kind, finishedAt) {
      marked(kind);
      if (finishedAt > 0) age.observe(Math.max(0, now() - finishedAt) / 1000);
    },
    failed(kind, all, final) {
      for (const failure of all) {
        const code = CountersignError.is(failure) ? failure.code : "unknown.exception";
        const type = errorTypeOf(code, retryOf(failure));
        if (type) failures.get(kind.toLowerCase())?.inc({ error_type: type });
        errors.inc({ stage: code.split(".")[0] ?? "", code, retry: retryOf(failure) });
      }
      if (final) failed.inc();
    },
    released: () => forced.inc(),
    configIs: (good) => valid.set(good ? 1 : 0),
  };
}

/** Tekton Chains' words for the stages. */
const errorTypes = ["payload_creation", "marshal_payload", "signing", "storage", "tlog"] as const;
type ErrorType = (typeof errorTypes)[number];

const byStage: Readonly<Record<string, ErrorType>> = { format: "payload_creation", sign: "signing", store: "storage", witness: "tlog" };

/** Undefined: an outage of the cluster, a mark that did not hold; no word of Tekton Chains fits. */
function errorTypeOf(code: string, retry: string): ErrorType | undefined {
  const [stage = ""] = code.split(".");
  if (stage === "read" && retry === "never") return "payload_creation";
  return Object.hasOwn(byStage, stage) ? byStage[stage] : undefined;
}
