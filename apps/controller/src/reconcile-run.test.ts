import { memoryLedger } from "@countersign/attest";
import { CountersignError, type Plan, route, type Signer } from "@countersign/core";
import { simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { imagesOf, type Run } from "@countersign/tekton";
import {
  certifiedSigners,
  deterministicSigner,
  killAt,
  logWitness,
  type World,
  world,
  worldAnnotations,
  worldTags,
} from "@countersign/testing/world";
import { describe, expect, test } from "vitest";
import { built, done, type MemoryCluster, memoryCluster, running } from "./memory-cluster.fixture.ts";
import { ownWrites } from "./own-writes.ts";
import { patienceOf } from "./patience.ts";
import { type Projection, projectionOf } from "./projection.ts";
import { reconcileRun } from "./reconcile-run.ts";
import type { News, Surroundings } from "./surroundings.ts";

const signal = new AbortController().signal;
const prefix = "chains.tekton.dev/";
const rsa = deterministicSigner();
const provenance = slsaV02({ builderId: "b", deepInspection: false, format: "in-toto" });
const refused = new CountersignError("store.refused", "no", { retry: "counted" });
const outage = new CountersignError("store.down", "down", { retry: "wait" });

const planOn = (earth: World, signer: Signer, logged = false): Plan<Run> => {
  const through = { signer, witnesses: logged ? [logWitness(earth)] : [], backends: [worldAnnotations, worldTags(earth)] };
  return (run) => [route(run, provenance, through), ...imagesOf(run).map((image) => route(image, simplesigning(), through))];
};

/** One process: its memory goes with it, world and cluster stay. */
function start(
  cluster: MemoryCluster,
  earth: World,
  more: {
    signer?: Signer;
    plan?: Plan<Run>;
    settings?: Partial<Surroundings["settings"]>;
    now?: () => number;
    foreign?: string[];
    logged?: boolean;
  } = {},
) {
  const { signer = rsa, plan = planOn(earth, signer, more.logged), now = () => 1_000_000, foreign = [] } = more;
  const news: News[] = [];
  const see = (key: string): Projection | undefined => {
    const run = cluster.stored.get(key);
    return run && projectionOf(run.kind, run);
  };
  const house: Surroundings = {
    ...{
      runs: cluster,
      plan,
      managedBy: [],
      ledger: memoryLedger(),
      patience: patienceOf(now, () => 0.5),
      own: ownWrites(),
      known: see,
      now,
    },
    observe: (_stage, _plugin, work) => work(),
    settings: { keepFinalizer: false, finalizerDeadlineMs: 300_000, transientDeadlineMs: undefined, ...more.settings },
    tell: (one) => news.push(one),
    count: () => undefined,
    recovered: () => news.push("recovered" as never),
    isForeign: (uid) => foreign.includes(uid),
  };
  return {
    news,
    house,
    visit: async (name: string, kind = "TaskRun") => {
      const seen = see(`${kind}/ci/${name}`);
      return seen ? reconcileRun(seen, house, { signal }) : "settled";
    },
  };
}
const notes = (cluster: MemoryCluster, name: string, kind = "TaskRun") =>
  cluster.stored.get(`${kind}/ci/${name}`)?.metadata.annotations ?? {};
const note = (cluster: MemoryCluster, name: string, key: string, kind = "TaskRun") => notes(cluster, name, kind)[prefix + key];
const sizes = (earth: World) => [...earth.tags.values()].map((layers) => layers.length);

describe("requests", () => {
  test("first seen done: one GET, one apply", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", status: built("a") });
    const { visit, news } = start(cluster, world());
    expect(await visit("build")).toBe("settled");
    expect(cluster.requests).toEqual(["get TaskRun/ci/build", "annotate TaskRun/ci/build"]);
    expect(note(cluster, "build", "signed")).toBe("true");
    expect(news.map(({ kind }) => kind)).toEqual(["signed"]);
    expect(await visit("build")).toBe("settled");
    expect(cluster.requests).toHaveLength(2);
  });

  test("seen running: the finalizer goes on, and off with the mark", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running() });
    const { visit } = start(cluster, world());
    await visit("build");
    await visit("build");
    expect([cluster.requests, run.metadata.finalizers]).toEqual([["finalizers TaskRun/ci/build"], ["chains.tekton.dev/taskrun"]]);
    run.status = built("a");
    await visit("build");
    expect(cluster.requests.slice(1)).toEqual(["get TaskRun/ci/build", "annotate TaskRun/ci/build", "finalizers TaskRun/ci/build"]);
    expect(run.metadata.finalizers).toEqual([]);
  });

  test("--keep-finalizer leaves it until the deletion", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", finalizers: ["chains.tekton.dev/taskrun"], status: done() });
    const { visit } = start(cluster, world(), { settings: { keepFinalizer: true } });
    await visit("build");
    expect(run.metadata.finalizers).toEqual(["chains.tekton.dev/taskrun"]);
    run.metadata.deletionTimestamp = new Date(1_000_000).toISOString();
    await visit("build");
    expect(run.metadata.finalizers).toEqual([]);
  });

  test("a PipelineRun waits for its children without a request, then costs one GET, one list, one apply", async () => {
    const cluster = memoryCluster();
    const labels = { "tekton.dev/pipelineRun": "pipe" };
    const child = cluster.put({ name: "one", labels, status: running() });
    cluster.put({
      kind: "PipelineRun",
      name: "pipe",
      status: done({
        childReferences: [
          { kind: "TaskRun", name: "one" },
          { kind: "CustomRun", name: "other" },
          { kind: "TaskRun", name: "pruned" },
        ],
      }),
    });
    const { visit } = start(cluster, world());
    expect(await visit("pipe", "PipelineRun")).toBe("settled");
    expect(cluster.requests).toEqual([]);
    child.status = done();
    expect(await visit("pipe", "PipelineRun")).toBe("settled");
    expect(cluster.requests).toEqual([]);
    await visit("one");
    cluster.requests.length = 0;
    await visit("pipe", "PipelineRun");
    expect(cluster.requests).toEqual(["get PipelineRun/ci/pipe", "list pipe", "annotate PipelineRun/ci/pipe"]);
    const marks = notes(cluster, "pipe", "PipelineRun");
    expect([marks[`${prefix}signed`], marks[`${prefix}omitted-children`]]).toEqual(["true", "CustomRun/other,TaskRun/pruned"]);
  });

  test("what is managed by others is left alone, unless it is named", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" }).spec = { managedBy: "other" };
    const { visit, house } = start(cluster, world());
    await visit("build");
    expect(cluster.requests).toEqual([]);
    Object.assign(house, { managedBy: ["other"] });
    await visit("build");
    expect(note(cluster, "build", "signed")).toBe("true");
  });
});

describe("failures", () => {
  test("five counted tries, then failed; what could be stored stands there", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a") });
    earth.down = { registry: refused };
    const { visit, news } = start(cluster, earth);
    const told: unknown[] = [];
    for (let n = 0; n < 5; n++) told.push([await visit("build"), note(cluster, "build", "retries"), note(cluster, "build", "signed")]);
    expect(told).toEqual([
      [{ againInMs: 2_000 }, "0", undefined],
      [{ againInMs: 4_000 }, "1", undefined],
      [{ againInMs: 8_000 }, "2", undefined],
      [{ againInMs: 16_000 }, "3", undefined],
      ["settled", "3", "failed"],
    ]);
    expect(note(cluster, "build", "payload-taskrun-uid-build")).toBeDefined();
    expect(news.at(-1)).toMatchObject({ kind: "failed", final: true });
  });

  test("an outage writes nothing, counts nothing, waits longer each time and as long as the server asks", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a") });
    const { visit } = start(cluster, earth);
    earth.down = { registry: outage };
    const waits = [await visit("build"), await visit("build"), await visit("build")];
    earth.down = { registry: new CountersignError("store.down", "down", { retry: "wait", retryAfterMs: 60_000 }) };
    waits.push(await visit("build"));
    expect(waits).toEqual([1_000, 2_000, 4_000, 60_000].map((againInMs) => ({ againInMs })));
    expect(cluster.applied).toEqual([]);
    earth.down = {};
    expect(await visit("build")).toBe("settled");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries"), sizes(earth)]).toEqual(["true", undefined, [1, 1]]);
  });

  test("after retries.transient-deadline an outage is counted", async () => {
    let now = 1_000_000;
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a") });
    earth.down = { registry: outage };
    const { visit } = start(cluster, earth, { now: () => now, settings: { transientDeadlineMs: 60_000 } });
    await visit("build");
    expect(note(cluster, "build", "retries")).toBeUndefined();
    now += 60_000;
    for (let n = 0; n < 5; n++) await visit("build");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual(["failed", "3"]);
  });

  test("a hold counts nothing, waits to be woken, and what is done is written down", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a") });
    const held: Signer = {
      name: "x509",
      sign: () => Promise.reject(new CountersignError("sign.key-missing", "no key", { retry: "hold" })),
    };
    const through = { witnesses: [], backends: [worldAnnotations] };
    const plan: Plan<Run> = (run) => [
      route(run, provenance, { ...through, signer: rsa }),
      ...imagesOf(run).map((image) => route(image, simplesigning(), { ...through, signer: held })),
    ];
    const { visit, news } = start(cluster, earth, { plan });
    expect(await visit("build")).toBe("settled");
    expect(news).toMatchObject([{ kind: "held" }]);
    expect([
      note(cluster, "build", "signed"),
      note(cluster, "build", "retries"),
      note(cluster, "build", "payload-taskrun-uid-build") !== undefined,
    ]).toEqual([undefined, undefined, true]);
    await visit("build");
    expect(cluster.applied).toHaveLength(1);
  });

  test("a run that cannot be read is given up at once, with a reason", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", status: done({ results: [{ name: "x", value: "y", type: 7 }] }) });
    const { visit, news } = start(cluster, world());
    expect(await visit("build")).toBe("settled");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual(["failed", "3"]);
    expect(news).toMatchObject([{ kind: "failed", final: true, failures: [{ code: "read.wrong-type" }] }]);
  });

  test("annotations that would not fit are not written, and the run is given up", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", annotations: { foreign: "x".repeat(250_000) }, status: built("a") });
    const { visit, news } = start(cluster, world());
    await visit("build");
    expect(news).toMatchObject([{ kind: "failed", final: true, failures: [{ code: "store.annotations-too-large" }] }]);
    expect(Object.keys(notes(cluster, "build")).sort()).toEqual([`${prefix}retries`, `${prefix}signed`, "foreign"]);
  });

  test("a mark that the server altered is withdrawn in a second apply", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", status: built("a") });
    cluster.damage = "payload-";
    const { visit, news } = start(cluster, world());
    expect(await visit("build")).toEqual({ againInMs: 2_000 });
    expect([cluster.applied.length, note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual([2, undefined, "0"]);
    expect(news).toMatchObject([{ kind: "failed", failures: [{ code: "mark.read-back" }] }]);
    cluster.damage = "";
    await visit("build");
    expect(note(cluster, "build", "signed")).toBe("true");
  });
});

describe("deletion", () => {
  const at = 1_000_000;
  const finalizers = ["chains.tekton.dev/taskrun"];
  test("while it runs: let go at once", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({
      name: "build",
      status: running(),
      finalizers: [...finalizers, "foreign"],
      deletionTimestamp: new Date(at).toISOString(),
    });
    await start(cluster, world()).visit("build");
    expect([run.metadata.finalizers, cluster.requests]).toEqual([["foreign"], ["finalizers TaskRun/ci/build"]]);
  });

  test("done and unsigned: signed first; held up no longer than the deadline", async () => {
    let now = at;
    const cluster = memoryCluster();
    const earth = world();
    const run = cluster.put({ name: "build", status: built("a"), finalizers, deletionTimestamp: new Date(at).toISOString() });
    earth.down = { registry: outage };
    const { visit, news } = start(cluster, earth, { now: () => now, settings: { finalizerDeadlineMs: 1_500 } });
    expect(await visit("build")).toEqual({ againInMs: 1_000 });
    expect(await visit("build")).toEqual({ againInMs: 1_500 });
    now += 1_500;
    await visit("build");
    expect([run.metadata.finalizers, news.at(-1)]).toEqual([[], expect.objectContaining({ kind: "released", waitedMs: 1_500 })]);
  });

  test("a PipelineRun that is deleted while a child is unsigned is held until the deadline, not for ever", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "one", status: running() });
    cluster.put({
      kind: "PipelineRun",
      name: "pipe",
      finalizers: ["chains.tekton.dev/pipelinerun"],
      deletionTimestamp: new Date(at - 100_000).toISOString(),
      status: done({ childReferences: [{ kind: "TaskRun", name: "one" }] }),
    });
    expect(await start(cluster, world()).visit("pipe", "PipelineRun")).toEqual({ againInMs: 200_000 });
  });
});

describe("identity", () => {
  test("recreated under its name with other annotations: formatted and signed anew", async () => {
    const cluster = memoryCluster();
    const earth = world();
    earth.down = { registry: outage };
    cluster.put({ name: "build", uid: "old", status: built("a") });
    const process = start(cluster, earth, { signer: certifiedSigners()(earth) });
    await process.visit("build");
    cluster.put({
      name: "build",
      uid: "new",
      status: built("a"),
      annotations: { [`${prefix}payload-taskrun-old`]: "AAAA", [`${prefix}signature-taskrun-old`]: "AAAA" },
    });
    earth.down = {};
    expect(await process.visit("build")).toBe("settled");
    expect(note(cluster, "build", "payload-taskrun-new")).toBeDefined();
  });

  test("swapped between our GET and our apply: nothing is written on the new one", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", uid: "one", status: built("a") });
    cluster.step = async (label) => {
      if (label.startsWith("annotate ")) cluster.put({ name: "build", uid: "two", status: built("a") });
    };
    expect(await start(cluster, world()).visit("build")).toBe("settled");
    expect(notes(cluster, "build")).toEqual({});
  });

  test("a mark that somebody wrote while the run worked is not believed", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", status: built("a"), annotations: { [`${prefix}signed`]: "true" } });
    await start(cluster, world()).visit("build");
    expect(note(cluster, "build", "payload-taskrun-uid-build")).toBeUndefined();
    await start(cluster, world(), { foreign: ["uid-build"] }).visit("build");
    expect([note(cluster, "build", "payload-taskrun-uid-build") !== undefined, note(cluster, "build", "signed")]).toEqual([true, "true"]);
  });
});

test("killed at every step: the same marks as without, and one layer at each place", async () => {
  for (const [name, signerOf] of [
    ["deterministic", () => () => rsa],
    ["certified", certifiedSigners],
  ] as const) {
    const make = signerOf();
    let length = Number.POSITIVE_INFINITY;
    for (let k = 0; k <= length; k++) {
      const cluster = memoryCluster();
      const earth = world();
      cluster.put({ name: "build", status: built("a", "b") });
      for (const end of [k, Number.POSITIVE_INFINITY]) {
        const life = killAt(end);
        cluster.step = life.step;
        const visit = start(cluster, Object.assign(earth, { step: life.step }), { signer: make(earth), logged: true }).visit("build");
        const result = await visit.catch(String);
        if (result === "settled" && end === k) length = k;
        cluster.step = async () => undefined;
      }
      expect([name, k, note(cluster, "build", "signed"), sizes(earth)]).toEqual([name, k, "true", [1, 1, 1, 1]]);
      expect([name, k, earth.entries.size, note(cluster, "build", "drafts")]).toEqual([name, k, 3, undefined]);
    }
    expect(length).toBeGreaterThan(10);
  }
});

test("no annotation of ours or of others is ever lost: 150 random histories of faults, lies and restarts", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    let x = seed;
    const dice = (n: number): number => {
      x = (x * 48_271) % 2_147_483_647;
      return x % n;
    };
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a"), annotations: { [`${prefix}mine`]: "1", other: "2" } });
    let process = start(cluster, earth);
    let known: readonly string[] = [];
    for (let visits = 0; visits < 60 && !["true", "failed"].includes(note(cluster, "build", "signed") ?? ""); visits++) {
      if (dice(2)) process = start(cluster, earth);
      earth.down = [{}, { registry: refused }, { registry: outage }][dice(3)] ?? {};
      cluster.damage = dice(3) ? "" : "signature-";
      await process.visit("build");
      const now = notes(cluster, "build");
      expect(known.filter((key) => key !== `${prefix}signed` && now[key] === undefined)).toEqual([]);
      known = Object.keys(now);
    }
    expect(["true", "failed"]).toContain(note(cluster, "build", "signed"));
    expect(notes(cluster, "build")).toMatchObject({ [`${prefix}mine`]: "1", other: "2" });
    expect(sizes(earth).every((size) => size === 1)).toBe(true);
  }
});

test("who waited for ten seconds and is done tells it, who waited less or was refused does not", async () => {
  for (const [trouble, waitedMs, told] of [
    [outage, 10_000, 1],
    [outage, 9_999, 0],
    [refused, 60_000, 0],
  ] as const) {
    const cluster = memoryCluster();
    const earth = world();
    let now = 1_000_000;
    cluster.put({ name: "build", status: built("a") });
    earth.down = { registry: trouble };
    const { visit, news } = start(cluster, earth, { now: () => now });
    await visit("build");
    earth.down = {};
    now += waitedMs;
    await visit("build");
    expect(news.filter((one) => one === ("recovered" as never))).toHaveLength(told);
  }
});

describe("drafts of keyless signatures", () => {
  const signers = certifiedSigners();
  const key = `${prefix}drafts`;

  test("one apply more, before the log is asked; they go with the mark", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a", "b") });
    earth.step = async (label) => void (label === "log:ask" && expect(note(cluster, "build", "drafts")).toBeDefined());
    await start(cluster, earth, { signer: signers(earth), logged: true }).visit("build");
    expect(cluster.requests).toEqual(["get TaskRun/ci/build", "annotate TaskRun/ci/build", "annotate TaskRun/ci/build"]);
    expect(Object.keys(cluster.applied[0] ?? {})).toEqual([key]);
    expect([note(cluster, "build", "signed"), note(cluster, "build", "drafts")]).toEqual(["true", undefined]);
  });

  test("they stay while a run is tried, whoever tries it, and go when it is given up", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a") });
    earth.down = { "registry:put": refused };
    const drafts: (string | undefined)[] = [];
    for (let tries = 0; tries < 5; tries++) {
      await start(cluster, earth, { signer: signers(earth), logged: true }).visit("build");
      drafts.push(note(cluster, "build", "drafts"));
    }
    expect(new Set(drafts.slice(0, 4)).size).toBe(1);
    expect([drafts[0] !== undefined, drafts[4], note(cluster, "build", "signed")]).toEqual([true, undefined, "failed"]);
    expect(earth.entries.size).toBe(2);
  });

  test("they never take the room of what is to be stored", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build" });
    const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "uid-build" } as const;
    await cluster.annotate(ref, { [key]: "x".repeat(262_000) }, { signal });
    await start(cluster, earth).visit("build");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "drafts")]).toEqual(["true", undefined]);
  });
});

test("drafts give way to what a held run has to keep", async () => {
  const cluster = memoryCluster();
  const earth = world();
  cluster.put({ name: "build", status: built("a") });
  const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "uid-build" } as const;
  await cluster.annotate(ref, { [`${prefix}drafts`]: "x".repeat(262_000) }, { signal });
  const held: Signer = { name: "x509", sign: () => Promise.reject(new CountersignError("sign.no-key", "no", { retry: "hold" })) };
  const [good, bad] = [planOn(earth, rsa), planOn(earth, held)];
  const { visit } = start(cluster, earth, { plan: (run) => [...good(run).slice(0, 1), ...bad(run).slice(1)] });
  await visit("build");
  expect([note(cluster, "build", "payload-taskrun-uid-build") !== undefined, note(cluster, "build", "drafts")]).toEqual([true, undefined]);
});

describe("who else has a hand in it", () => {
  const at = 1_000_000;
  const finalizers = ["chains.tekton.dev/taskrun"];

  test("a run of others that our finalizer keeps from its deletion is let go after the deadline, without a word on it", async () => {
    let now = at;
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", finalizers, deletionTimestamp: new Date(at).toISOString() });
    run.spec = { managedBy: "other" };
    const { visit, news } = start(cluster, world(), { now: () => now });
    expect(await visit("build")).toEqual({ againInMs: 300_000 });
    expect(cluster.requests).toEqual([]);
    now += 300_000;
    expect(await visit("build")).toBe("settled");
    expect([run.metadata.finalizers, cluster.requests, notes(cluster, "build")]).toEqual([[], ["finalizers TaskRun/ci/build"], {}]);
    expect(news).toMatchObject([{ kind: "released", waitedMs: 300_000 }]);
  });

  test("marked since the watch last told of it: nothing but the finalizer is left to do", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", finalizers, status: built("a") });
    const { house } = start(cluster, world());
    const stale = projectionOf("TaskRun", run);
    run.metadata.annotations[`${prefix}signed`] = "true";
    expect(await reconcileRun(stale, house, { signal })).toBe("settled");
    expect([cluster.requests, run.metadata.finalizers]).toEqual([["get TaskRun/ci/build", "finalizers TaskRun/ci/build"], []]);
  });
});

describe("bugs", () => {
  test("a plan that throws is counted, and after the fifth time given up", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const bug = new TypeError("bug");
    const { visit, news } = start(cluster, world(), {
      plan: () => {
        throw bug;
      },
    });
    for (let n = 0; n < 5; n++) await visit("build");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual(["failed", "3"]);
    expect(news.at(-1)).toMatchObject({ kind: "failed", final: true, failures: [bug] });
  });

  test("a plan that gives a verdict is taken at its word", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const held = new CountersignError("config.unsupported", "no", { retry: "hold" });
    const { visit, news } = start(cluster, world(), {
      plan: () => {
        throw held;
      },
    });
    expect(await visit("build")).toBe("settled");
    expect([news[0]?.kind, cluster.applied]).toEqual(["held", []]);
  });

  test("what became of each route is counted at every visit", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a") });
    earth.down = { registry: outage };
    const counted: string[] = [];
    const { visit, house } = start(cluster, earth);
    Object.assign(house, {
      count: (_ref: unknown, outcomes: readonly { route: string }[]) => counted.push(...outcomes.map((o) => o.route)),
    });
    await visit("build");
    await visit("build");
    expect(counted).toHaveLength(4);
  });
});

describe("a PipelineRun and its children", () => {
  const labels = { "tekton.dev/pipelineRun": "pipe" };
  const pipeline = (cluster: MemoryCluster, names: readonly string[], annotations = {}) =>
    cluster.put({
      kind: "PipelineRun",
      name: "pipe",
      annotations,
      status: done({ childReferences: names.map((name) => ({ kind: "TaskRun", name })) }),
    });

  test("a child that the list shows and the watch does not yet is waited for, no longer than a deletion may", async () => {
    const cluster = memoryCluster();
    const child = cluster.put({ name: "one", labels, status: running() });
    const pipe = pipeline(cluster, ["one"]);
    const { house } = start(cluster, world());
    const blind = { ...house, known: () => undefined };
    const visit = () => reconcileRun(projectionOf("PipelineRun", pipe), blind, { signal });
    expect([await visit(), cluster.requests]).toEqual([{ againInMs: 2_000 }, ["get PipelineRun/ci/pipe", "list pipe"]]);
    Object.assign(pipe.metadata, {
      finalizers: ["chains.tekton.dev/pipelinerun"],
      deletionTimestamp: new Date(1_000_000 - 299_000).toISOString(),
    });
    expect(await visit()).toEqual({ againInMs: 1_000 });
    child.status = done();
    child.metadata.annotations[`${prefix}signed`] = "true";
    expect(await visit()).toBe("settled");
    expect(note(cluster, "pipe", "signed", "PipelineRun")).toBe("true");
  });

  test("a mark on a child that still works is no end of it", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "one", labels, status: running(), annotations: { [`${prefix}signed`]: "true" } });
    pipeline(cluster, ["one"]);
    expect(await start(cluster, world()).visit("pipe", "PipelineRun")).toBe("settled");
    expect(cluster.requests).toEqual([]);
  });

  test("once it was tried, its children are past: known to the watch or not", async () => {
    for (const known of [true, false]) {
      const cluster = memoryCluster();
      cluster.put({ name: "one", labels, status: running() });
      const pipe = pipeline(cluster, ["one"], { [`${prefix}retries`]: "0" });
      const { house } = start(cluster, world());
      await reconcileRun(projectionOf("PipelineRun", pipe), known ? house : { ...house, known: () => undefined }, { signal });
      expect(note(cluster, "pipe", "signed", "PipelineRun")).toBe("true");
    }
  });

  test("very many omitted children are named as far as 4 kB go", async () => {
    const cluster = memoryCluster();
    pipeline(
      cluster,
      Array.from({ length: 500 }, (_, n) => `pruned-${n}`),
    );
    await start(cluster, world()).visit("pipe", "PipelineRun");
    const named = note(cluster, "pipe", "omitted-children", "PipelineRun") ?? "";
    expect(named.length).toBeLessThanOrEqual(4096);
    expect(named.length).toBeGreaterThan(4000);
    expect(named).toMatch(/^(TaskRun\/pruned-\d+,)+…$/);
  });
});

describe("odd moments", () => {
  test("done for the watch and at work again at the GET: nothing is written", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build" });
    const { house } = start(cluster, world());
    const stale = projectionOf("TaskRun", run);
    run.status = running();
    expect(await reconcileRun(stale, house, { signal })).toBe("settled");
    expect(cluster.requests).toEqual(["get TaskRun/ci/build"]);
  });

  test("a foreign mark never stands beside a try of ours", async () => {
    const cluster = memoryCluster();
    const earth = world();
    cluster.put({ name: "build", status: built("a"), annotations: { [`${prefix}signed`]: "true" } });
    earth.down = { registry: refused };
    await start(cluster, earth, { foreign: ["uid-build"] }).visit("build");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual(["", "0"]);
  });

  test("altered at every try: given up, and said so", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", status: built("a") });
    cluster.damage = "payload-";
    const { visit, news } = start(cluster, world());
    for (let n = 0; n < 5; n++) await visit("build");
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual(["failed", "3"]);
    expect(news.at(-1)).toMatchObject({ kind: "failed", final: true, failures: [{ code: "mark.read-back" }] });
  });

  test("gone between the look and our finalizer: nobody's failure; any other refusal is", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", uid: "one", status: running() });
    const { visit } = start(cluster, world());
    cluster.step = async () => void cluster.put({ name: "build", uid: "two", status: running() });
    expect(await visit("build")).toBe("settled");
    cluster.step = () => Promise.reject(outage);
    await expect(visit("build")).rejects.toBe(outage);
  });
});
