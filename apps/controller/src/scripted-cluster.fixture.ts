import { parseConfig } from "@countersign/config";
import type { Plan } from "@countersign/core";
import { route, type Signer } from "@countersign/core";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import type { Events, KubeConnection, KubeRequest, RunEvent } from "@countersign/kube";
import type { Run } from "@countersign/tekton";
import { fakeClock } from "@countersign/testing";
import { deterministicSigner, world, worldAnnotations, worldTags } from "@countersign/testing/world";
import { type Controller, type ControllerNews, type ControllerOptions, controller } from "./controller.ts";
import type { MemoryCluster } from "./memory-cluster.fixture.ts";
import { telemetry } from "./telemetry.ts";

export const turns = async (n = 30): Promise<void> => {
  for (let turn = 0; turn < n; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A watch's stream, into which the test puts frames. */
interface Stream {
  push(frame: object): void;
}

/** The memory cluster behind a wire whose lists wait for the test's word and whose watches say what the test tells them. */
export function wired(cluster: MemoryCluster) {
  const lists: string[] = [];
  const streams = new Map<string, Stream>();
  const gates = new Map<string, Promise<void>>();
  const resourceOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const connection = {
    server: "https://cluster",
    namespace: "tekton-chains",
    async request({ path }: KubeRequest) {
      lists.push(path);
      await gates.get(resourceOf(path));
      const kind = resourceOf(path) === "taskruns" ? "TaskRun" : "PipelineRun";
      return JSON.stringify({ metadata: { resourceVersion: "1" }, items: [...cluster.stored.values()].filter((run) => run.kind === kind) });
    },
    async lines({ path, signal }: KubeRequest) {
      const frames: string[] = [];
      let wake: () => void = () => undefined;
      streams.set(resourceOf(path), {
        push(frame) {
          frames.push(JSON.stringify(frame));
          wake();
        },
      });
      signal.addEventListener("abort", () => wake());
      return (async function* () {
        while (!signal.aborted) {
          for (const frame of frames.splice(0)) yield frame;
          if (frames.length === 0 && !signal.aborted)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      })();
    },
    close: async () => undefined,
  } satisfies KubeConnection;
  return {
    connection,
    lists,
    /** The list of "taskruns" or "pipelineruns" comes only once the answer was called. */
    hold(resource: string): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(resource, promise);
      return resolve;
    },
    /** The watch must begin anew, with a list. */
    expire: (resource: string): void =>
      streams.get(resource)?.push({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }),
    /** A watch event with a run as it stands, "build" or "PipelineRun/pipe". */
    emit(name: string, type = "MODIFIED"): void {
      const key = name.includes("/") ? name.replace("/", "/ci/") : `TaskRun/ci/${name}`;
      const run = cluster.stored.get(key);
      streams.get(key.startsWith("TaskRun") ? "taskruns" : "pipelineruns")?.push({ type, object: run });
    },
  };
}

export interface HouseOptions extends Partial<ControllerOptions> {
  readonly signer?: Signer;
  readonly planOf?: Plan<Run>;
  readonly config?: Readonly<Record<string, string>>;
}

const rsa = deterministicSigner();
const provenance = slsaV02({ builderId: "b", deepInspection: false, format: "in-toto" });

/** A controller over all that, its clock in the test's hand. */
export function housed(cluster: MemoryCluster, { signer = rsa, planOf, config = {}, ...more }: HouseOptions = {}) {
  const earth = world();
  const clock = fakeClock(1_000_000);
  const wire = wired(cluster);
  const stop = new AbortController();
  const news: ControllerNews[] = [];
  const told: RunEvent[] = [];
  const events: Events = { tell: async (event) => void told.push(event) };
  const metrics = telemetry({ waiting: () => loop.waiting, held: () => loop.held }, clock.now);
  const through = { signer, witnesses: [], backends: [worldAnnotations, worldTags(earth)] };
  const plan: Plan<Run> = planOf ?? ((run) => [route(run, provenance, through)]);
  let inForce: ReturnType<ControllerOptions["inForce"]> = { config: parseConfig(config).config, plan };
  const loop: Controller = controller({
    connection: wire.connection,
    runs: cluster,
    events,
    inForce: () => inForce,
    namespaces: [],
    visitsAtOnce: 4,
    settings: () => ({ keepFinalizer: false, finalizerDeadlineMs: 300_000, transientDeadlineMs: undefined }),
    telemetry: () => metrics,
    speak: (one) => news.push(one),
    clock,
    ...more,
  });
  return {
    ...{ loop, clock, earth, news, told, stop, metrics, plan },
    ...wire,
    put: (now: typeof inForce) => {
      inForce = now;
    },
    inForce: () => inForce,
    /** Resolves when it ended. */
    run: () => loop.run({ signal: stop.signal }),
    kinds: () => news.map(({ kind }) => kind),
  };
}
