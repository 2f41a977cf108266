import { createServer, type Server } from "node:http";
import type { Observer } from "@countersign/attest";
import { CountersignError, retryOf } from "@countersign/core";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export interface Telemetry {
  readonly observe: Observer;
  signed(kind: string, finishedAt: number): void;
  failed(kind: string, failures: readonly unknown[], final: boolean): void;
  released(): void;
  configIs(valid: boolean): void;
  readonly registry: Registry;
}

export interface TelemetryGauges {
  readonly depth: () => number;
  readonly waiting: () => number;
  readonly held: () => number;
}

/** Prometheus, under the names of Tekton Chains where it has one. Labels are stage, plug-in and error code; never a name from a run. */
export function telemetry(gauges: TelemetryGauges, now: () => number): Telemetry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const kinds = ["taskrun", "pipelinerun"];
  const counters = (name: string, help: string) =>
    new Map(kinds.map((kind) => [kind, new Counter({ name: `watcher_${kind}_${name}`, help, registers })]));
  const marked = counters("marked_signed_total", "Runs marked as signed");
  const failures = new Map(
    kinds.map((kind) => [
      kind,
      new Counter({ name: `watcher_${kind}_signing_failures_total`, help: "Failed tries", labelNames: ["error_type"], registers }),
    ]),
  );
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
  new Gauge({
    name: "kn_workqueue_depth",
    help: "Runs to visit",
    labelNames: ["name"],
    registers,
    collect() {
      this.set({ name: "countersign" }, gauges.depth());
    },
  });
  new Gauge({
    name: "countersign_runs_waiting",
    help: "Runs that wait for their next try",
    registers,
    collect() {
      this.set(gauges.waiting());
    },
  });
  new Gauge({
    name: "countersign_runs_held",
    help: "Runs on hold until key or configuration change",
    registers,
    collect() {
      this.set(gauges.held());
    },
  });

  return {
    registry,
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
    signed(kind, finishedAt) {
      marked.get(kind.toLowerCase())?.inc();
      if (finishedAt > 0) age.observe(Math.max(0, now() - finishedAt) / 1000);
    },
    failed(kind, all, final) {
      for (const failure of all) {
        const code = CountersignError.is(failure) ? failure.code : "unknown.exception";
        const at = code.split(".")[0] ?? "";
        failures.get(kind.toLowerCase())?.inc({ error_type: errorTypes[at] ?? at });
        errors.inc({ stage: at, code, retry: retryOf(failure) });
      }
      if (final) failed.inc();
    },
    released: () => forced.inc(),
    configIs: (good) => valid.set(good ? 1 : 0),
  };
}

/** Tekton Chains' words for the stages. */
const errorTypes: Readonly<Record<string, string>> = {
  format: "payload_creation",
  read: "payload_creation",
  sign: "signing",
  store: "storage",
  witness: "tlog",
};

export function serveMetrics(port: number, registry: Registry, trouble: (error: unknown) => void): Server {
  const server = createServer(async (request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": registry.contentType }).end(await registry.metrics());
  });
  return server.on("error", trouble).listen(port);
}

export interface Probes {
  /** Undefined: ready. */
  readonly unready: () => string | undefined;
  readonly stopping: () => boolean;
}

/** /health answers 500 once the process was told to stop; /readiness also says what it waits for. */
export function serveProbes(port: number, { unready, stopping }: Probes, trouble: (error: unknown) => void): Server {
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (path !== "/health" && path !== "/readiness") return void response.writeHead(404).end();
    const why = stopping() ? "stopping" : path === "/readiness" ? unready() : undefined;
    response.writeHead(why ? 500 : 200, { "content-type": "text/plain; charset=utf-8" }).end(`${why ?? "ok"}\n`);
  });
  return server.on("error", trouble).listen(port);
}
