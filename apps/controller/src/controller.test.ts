import { CountersignError, route, type Signer } from "@countersign/core";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { deterministicSigner, worldAnnotations } from "@countersign/testing/world";
import { afterEach, describe, expect, test } from "vitest";
import { done, memoryCluster, running } from "./memory-cluster.fixture.ts";
import { type HouseOptions, housed, turns } from "./scripted-cluster.fixture.ts";

const prefix = "chains.tekton.dev/";
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});
const label = { "tekton.dev/pipelineRun": "pipe" };

/** Runs with what is in the cluster so far; after `ready` both kinds were listed. */
async function live(cluster: ReturnType<typeof memoryCluster>, options: HouseOptions = {}) {
  const house = housed(cluster, options);
  stops.push(house.stop);
  const over = house.run();
  await turns();
  return { ...house, over };
}
const note = (cluster: ReturnType<typeof memoryCluster>, name: string, key: string, kind = "TaskRun") =>
  cluster.stored.get(`${kind}/ci/${name}`)?.metadata.annotations[prefix + key];

describe("what is visited", () => {
  test("a run that finishes while we watch", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running() });
    const { emit, kinds } = await live(cluster);
    expect(cluster.requests).toEqual(["finalizers TaskRun/ci/build"]);
    emit("build");
    await turns();
    run.status = done();
    run.metadata.resourceVersion = "by tekton";
    emit("build");
    await turns();
    expect(cluster.requests.slice(1)).toEqual(["get TaskRun/ci/build", "annotate TaskRun/ci/build", "finalizers TaskRun/ci/build"]);
    expect([note(cluster, "build", "signed"), kinds()]).toEqual(["true", ["signed"]]);
  });

  test("5,000 runs that are done and signed cost no visit, whatever happens to their versions", async () => {
    const cluster = memoryCluster();
    for (let n = 0; n < 5_000; n++) cluster.put({ name: `old-${n}`, annotations: { [`${prefix}signed`]: n % 2 ? "true" : "failed" } });
    const { emit, metrics, loop } = await live(cluster);
    for (let n = 0; n < 5_000; n++) emit(`old-${n}`);
    await turns();
    expect([cluster.requests, loop.depth, loop.waiting]).toEqual([[], 0, 0]);
    expect(await metrics.registry.metrics()).toMatch(/kn_workqueue_adds_total\{[^}]*taskrun[^}]*\} 0\n/);
  });

  test("many events about the same are one visit", async () => {
    const cluster = memoryCluster();
    const { emit } = await live(cluster, { visitsAtOnce: 1 });
    cluster.put({ name: "build" });
    for (let n = 0; n < 20; n++) emit("build");
    await turns();
    expect(cluster.requests).toEqual(["get TaskRun/ci/build", "annotate TaskRun/ci/build"]);
  });

  test("deleted while it works: let go at once", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running(), finalizers: ["chains.tekton.dev/taskrun"] });
    const { emit } = await live(cluster);
    expect(cluster.requests).toEqual([]);
    Object.assign(run.metadata, { deletionTimestamp: new Date(0).toISOString(), resourceVersion: "by a person" });
    emit("build");
    await turns();
    expect([run.metadata.finalizers, cluster.requests]).toEqual([[], ["finalizers TaskRun/ci/build"]]);
  });

  test("killed between mark and finalizer: the next life takes it off", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", annotations: { [`${prefix}signed`]: "true" }, finalizers: ["chains.tekton.dev/taskrun"] });
    await live(cluster);
    expect([run.metadata.finalizers, cluster.requests]).toEqual([[], ["finalizers TaskRun/ci/build"]]);
  });

  test("a mark that people take off again is work again", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", annotations: { [`${prefix}signed`]: "failed", [`${prefix}retries`]: "3" } });
    const { emit } = await live(cluster);
    expect(cluster.requests).toEqual([]);
    run.metadata.annotations = {};
    run.metadata.resourceVersion = "by a person";
    emit("build");
    await turns();
    expect(note(cluster, "build", "signed")).toBe("true");
  });

  test("--namespace: only these are watched, each with both kinds, each once", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const { lists } = await live(cluster, { namespaces: ["ci", "ci", "team b"] });
    expect(lists.sort()).toEqual([
      "/apis/tekton.dev/v1/namespaces/ci/pipelineruns",
      "/apis/tekton.dev/v1/namespaces/ci/taskruns",
      "/apis/tekton.dev/v1/namespaces/team%20b/pipelineruns",
      "/apis/tekton.dev/v1/namespaces/team%20b/taskruns",
    ]);
    expect(note(cluster, "build", "signed")).toBe("true");
    expect((await live(memoryCluster())).lists.sort()).toEqual(["/apis/tekton.dev/v1/pipelineruns", "/apis/tekton.dev/v1/taskruns"]);
  });
});

describe("own writes", () => {
  test("are no news, when their event comes after the answer", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const { emit, metrics } = await live(cluster);
    emit("build");
    await turns();
    expect(cluster.requests).toHaveLength(2);
    expect(await metrics.registry.metrics()).toMatch(/kn_workqueue_adds_total\{[^}]*taskrun[^}]*\} 1\n/);
  });

  test("nor when it comes before", async () => {
    const cluster = memoryCluster();
    const house = housed(cluster);
    stops.push(house.stop);
    cluster.put({ name: "build", status: running() });
    void house.run();
    await turns();
    cluster.step = async (step) => {
      if (!step.startsWith("annotated")) return;
      house.emit("build");
      await turns();
    };
    const run = cluster.stored.get("TaskRun/ci/build");
    if (run) Object.assign(run, { status: done() }).metadata.resourceVersion = "by tekton";
    house.emit("build");
    await turns(100);
    expect(note(cluster, "build", "signed")).toBe("true");
    // One for the finalizer, one for the mark; a third would be for the event of our own.
    expect(await house.metrics.registry.metrics()).toMatch(/kn_workqueue_adds_total\{[^}]*taskrun[^}]*\} 2\n/);
  });

  test("events of people are never dropped, also in the middle of a visit", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build" });
    const house = housed(cluster);
    stops.push(house.stop);
    let meddled = false;
    cluster.step = async (step) => {
      if (meddled || !step.startsWith("annotated")) return;
      meddled = true;
      run.metadata.annotations = { ...run.metadata.annotations };
      delete run.metadata.annotations[`${prefix}signed`];
      run.metadata.resourceVersion = "by a person";
      house.emit("build");
      await turns();
    };
    void house.run();
    await turns(100);
    await house.clock.advance(10_000);
    await turns(100);
    expect(note(cluster, "build", "signed")).toBe("true");
    expect(cluster.requests.filter((one) => one.startsWith("get"))).toHaveLength(2);
  });

  test("the mark of a counted try is no reason to try again before its time", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const refused: Signer = { name: "x509", sign: () => Promise.reject(new CountersignError("sign.refused", "no", { retry: "counted" })) };
    const { emit, clock } = await live(cluster, { signer: refused });
    emit("build");
    await turns();
    expect([note(cluster, "build", "retries"), cluster.requests.length]).toEqual(["0", 2]);
    await clock.advance(2_000);
    await turns();
    expect([note(cluster, "build", "retries"), cluster.requests.length]).toEqual(["1", 4]);
  });

  test("a deletion in the middle of a visit is seen when the visit is over", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", finalizers: ["chains.tekton.dev/taskrun"] });
    const house = housed(cluster, {
      settings: () => ({ keepFinalizer: true, finalizerDeadlineMs: 300_000, transientDeadlineMs: undefined }),
    });
    stops.push(house.stop);
    cluster.step = async (step) => {
      if (!step.startsWith("annotated")) return;
      const answered = { ...run.metadata };
      Object.assign(run.metadata, { deletionTimestamp: new Date(1_000_000).toISOString(), resourceVersion: "by a person" });
      house.emit("build");
      await turns();
      run.metadata.resourceVersion = answered.resourceVersion;
    };
    void house.run();
    await turns(100);
    expect([note(cluster, "build", "signed"), run.metadata.finalizers]).toEqual(["true", []]);
  });

  test("an own write that hides somebody else's, of which no event told, is news", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running() });
    cluster.step = async (step) => {
      if (step.startsWith("finalizers")) run.status = done(); // and the watch is cut before it tells
    };
    const { emit } = await live(cluster);
    emit("build"); // as a new list shows it: at the version of our finalizer
    await turns();
    expect(note(cluster, "build", "signed")).toBe("true");
  });

  test("what a stranger did with our finalizer is seen and done again", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running() });
    const { emit } = await live(cluster);
    emit("build");
    await turns();
    run.metadata.finalizers = [];
    run.metadata.resourceVersion = "by a person";
    emit("build");
    await turns();
    expect([run.metadata.finalizers, cluster.requests]).toEqual([
      ["chains.tekton.dev/taskrun"],
      ["finalizers TaskRun/ci/build", "finalizers TaskRun/ci/build"],
    ]);
  });
});

describe("children", () => {
  const pipeline = (cluster: ReturnType<typeof memoryCluster>) => {
    const childReferences = ["one", "two"].map((name) => ({ kind: "TaskRun", name }));
    cluster.put({ kind: "PipelineRun", name: "pipe", status: done({ childReferences }) });
    return ["one", "two"].map((name) => cluster.put({ name, labels: label, status: running() }));
  };

  test("each child's change brings its PipelineRun; waiting costs no request", async () => {
    const cluster = memoryCluster();
    const children = pipeline(cluster);
    const { emit } = await live(cluster);
    const pipe = () => cluster.requests.filter((one) => one.includes("PipelineRun"));
    for (const [n, child] of children.entries()) {
      expect(pipe()).toEqual([]);
      child.status = done();
      child.metadata.resourceVersion = `by tekton ${n}`;
      emit(child.metadata.name);
      await turns();
      emit(child.metadata.name); // our own mark on it
      await turns();
    }
    expect([note(cluster, "pipe", "signed", "PipelineRun"), pipe()]).toEqual([
      "true",
      ["get PipelineRun/ci/pipe", "annotate PipelineRun/ci/pipe"],
    ]);
  });

  test("a child of which nothing is new is no reason to try before its time", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "one", annotations: { [`${prefix}signed`]: "true" }, labels: label });
    cluster.put({ kind: "PipelineRun", name: "pipe", status: done({ childReferences: [{ kind: "TaskRun", name: "one" }] }) });
    const refused: Signer = { name: "x509", sign: () => Promise.reject(new CountersignError("sign.refused", "no", { retry: "counted" })) };
    const { emit } = await live(cluster, { signer: refused });
    const before = cluster.requests.length;
    emit("one");
    await turns();
    expect([note(cluster, "pipe", "retries", "PipelineRun"), cluster.requests.length]).toEqual(["0", before]);
  });

  test("a child that is deleted no longer keeps it", async () => {
    const cluster = memoryCluster();
    const [one, two] = pipeline(cluster);
    const { emit } = await live(cluster);
    for (const child of [one, two]) {
      emit(child?.metadata.name ?? "", "DELETED");
      cluster.stored.delete(`TaskRun/ci/${child?.metadata.name}`);
      await turns();
    }
    expect([note(cluster, "pipe", "signed", "PipelineRun"), note(cluster, "pipe", "omitted-children", "PipelineRun")]).toEqual([
      "true",
      "TaskRun/one,TaskRun/two",
    ]);
  });
});

describe("before the work", () => {
  test("nobody is visited until both kinds were listed", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const house = housed(cluster);
    stops.push(house.stop);
    const open = house.hold("pipelineruns");
    void house.run();
    house.loop.wake();
    await turns();
    expect([house.loop.synced, cluster.requests, house.loop.depth]).toEqual([false, [], 1]);
    open();
    await turns();
    expect([house.loop.synced, note(cluster, "build", "signed")]).toEqual([true, "true"]);
  });

  test("nor before it runs at all, nor without a plan", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const house = housed(cluster);
    stops.push(house.stop);
    house.loop.wake();
    expect(house.loop.synced).toBe(false);
    const plan = house.inForce();
    house.put(undefined);
    void house.run();
    await turns();
    expect([house.loop.synced, cluster.requests]).toEqual([true, []]);
    house.put(plan);
    house.loop.wake();
    await turns();
    expect(note(cluster, "build", "signed")).toBe("true");
  });
});

describe("marks of others", () => {
  test("a mark that stood there before the run was done is not believed, also when it was listed so", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running(), annotations: { [`${prefix}signed`]: "true" } });
    const { emit } = await live(cluster);
    run.status = done();
    run.metadata.resourceVersion = "by tekton";
    emit("build");
    await turns();
    expect(note(cluster, "build", "payload-taskrun-uid-build")).toBeDefined();
    const before = cluster.requests.length;
    run.metadata.resourceVersion = "later";
    emit("build");
    await turns();
    expect(cluster.requests).toHaveLength(before);
  });

  test("given up in spite of it: then our own mark stands, and is believed", async () => {
    const cluster = memoryCluster();
    const run = cluster.put({ name: "build", status: running(), annotations: { [`${prefix}signed`]: "true" } });
    const hopeless: Signer = { name: "x509", sign: () => Promise.reject(new CountersignError("sign.never", "no", { retry: "never" })) };
    const { emit } = await live(cluster, { signer: hopeless });
    run.status = done();
    run.metadata.resourceVersion = "by tekton";
    emit("build");
    await turns();
    expect(note(cluster, "build", "signed")).toBe("failed");
    const before = cluster.requests.length;
    Object.assign(run.metadata, { resourceVersion: "by a person", deletionTimestamp: new Date(0).toISOString() });
    emit("build");
    await turns();
    expect(cluster.requests.slice(before)).toEqual([]);
  });

  test("recreated under its name: what was known of the old one counts no more", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build", status: running(), annotations: { [`${prefix}signed`]: "true" } });
    const { emit } = await live(cluster);
    cluster.put({ name: "build", uid: "new", annotations: { [`${prefix}signed`]: "true" } });
    const before = cluster.requests.length;
    emit("build", "ADDED");
    await turns();
    expect(cluster.requests.slice(before)).toEqual([]);
  });
});

describe("failures", () => {
  const provenance = slsaV02({ builderId: "b", deepInspection: false, format: "in-toto" });
  const missing = new CountersignError("sign.key-missing", "there is no key", { retry: "hold" });
  const lockable = (): Signer & { key: boolean } => {
    const good = deterministicSigner();
    const signer = {
      ...good,
      key: false,
      sign: (...args: Parameters<Signer["sign"]>) => (signer.key ? good.sign(...args) : Promise.reject(missing)),
    };
    return signer;
  };

  test("a service that answered all the time, only not so that anybody could believe it: who gets through first wakes the others", async () => {
    const cluster = memoryCluster();
    const names = Array.from({ length: 20 }, (_, n) => `run-${n}`);
    for (const name of names) cluster.put({ name });
    const unbelievable = { retry: "wait" } as const;
    const signer: Signer & { good: boolean } = {
      ...deterministicSigner(),
      good: false,
      sign: (...how) => (signer.good ? able.sign(...how) : Promise.reject(new CountersignError("sign.x", "garbage", unbelievable))),
    };
    const able = deterministicSigner();
    const { loop, clock } = await live(cluster, { signer });
    const signed = () => names.filter((name) => note(cluster, name, "signed") === "true").length;
    const pass = async (seconds: number, until: () => boolean): Promise<void> => {
      for (let passed = 0; passed < seconds && !until(); passed++) {
        await clock.advance(1_000);
        await turns(60);
      }
    };
    await pass(1_800, () => false);
    expect([signed(), loop.waiting]).toEqual([0, names.length]);
    signer.good = true;
    await pass(300, () => signed() > 0);
    await pass(11, () => signed() === names.length);
    expect(signed()).toBe(names.length);
  });

  test("on hold until it is woken: one Event for the route, nothing in between", async () => {
    const cluster = memoryCluster();
    for (const name of ["a", "b", "c"]) cluster.put({ name });
    const signer = lockable();
    const { loop, told, clock, kinds } = await live(cluster, { signer });
    expect([loop.held, kinds(), told.map(({ reason }) => reason)]).toEqual([3, ["held", "held", "held"], ["InternalError"]]);
    await clock.advance(3_600_000);
    expect(cluster.requests).toHaveLength(3);
    signer.key = true;
    loop.wake();
    await turns(60);
    expect([loop.held, ["a", "b", "c"].map((name) => note(cluster, name, "signed"))]).toEqual([0, ["true", "true", "true"]]);
  });

  test("woken in the middle of a visit: its verdict is about the old key, so it is visited again", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const signer = lockable();
    const { promise, resolve } = Promise.withResolvers<void>();
    cluster.step = async (step) => {
      if (step.startsWith("get")) await promise;
    };
    const slow: Signer = {
      ...signer,
      async sign(...args) {
        const failed = signer.key ? undefined : missing;
        await turns(5);
        if (failed) throw failed;
        return signer.sign(...args);
      },
    };
    const { loop } = await live(cluster, { signer: slow });
    resolve();
    await turns(3);
    signer.key = true;
    loop.wake();
    await turns(60);
    expect([loop.held, note(cluster, "build", "signed")]).toEqual([0, "true"]);
  });

  test("woken in the middle of a visit, and the key is still not there: held, and not visited for ever", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const slow: Signer = {
      name: "x509",
      async sign() {
        asked.resolve();
        await answered.promise;
        throw missing;
      },
    };
    const house = housed(cluster, { signer: slow });
    stops.push(house.stop);
    void house.run();
    await asked.promise;
    house.loop.wake();
    answered.resolve();
    await turns(200);
    expect([house.loop.held, cluster.requests.length]).toEqual([1, 2]);
  });

  test("deleted in the middle of the visit that would hold it, or while nobody watched: no longer held", async () => {
    const cluster = memoryCluster();
    const house = housed(cluster, { signer: lockable() });
    stops.push(house.stop);
    cluster.put({ name: "other" });
    cluster.step = async (step) => {
      if (step !== "get TaskRun/ci/build") return;
      house.emit("build", "DELETED");
      await turns();
    };
    void house.run();
    await turns();
    cluster.put({ name: "build" });
    house.emit("build", "ADDED");
    await turns(60);
    expect([house.loop.held, cluster.requests.length]).toEqual([1, 2]);
    cluster.stored.clear();
    house.expire("taskruns");
    await expect.poll(() => house.loop.held).toBe(0);
  });

  test("a run that is deleted is no longer held", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const { loop, emit } = await live(cluster, { signer: lockable() });
    expect(loop.held).toBe(1);
    emit("build", "DELETED");
    await turns();
    expect(loop.held).toBe(0);
  });

  test("poison: a plan or formatter that throws is counted and given up, the others go on", async () => {
    const cluster = memoryCluster();
    for (const name of ["good", "bad-plan", "bad-format"]) cluster.put({ name });
    const through = { signer: deterministicSigner(), witnesses: [], backends: [worldAnnotations] };
    const house = await live(cluster, {
      planOf: (run) => {
        if (run.ref.name === "bad-plan") throw new TypeError("canary");
        const formatter = {
          name: "x",
          format: () => {
            throw new RangeError("canary");
          },
        };
        return [route(run, run.ref.name === "bad-format" ? formatter : provenance, through)];
      },
    });
    expect(note(cluster, "good", "signed")).toBe("true");
    for (let n = 0; n < 6; n++) {
      await house.clock.advance(20_000);
      await turns();
    }
    for (const name of ["bad-plan", "bad-format"])
      expect([name, note(cluster, name, "signed"), note(cluster, name, "retries")]).toEqual([name, "failed", "3"]);
    expect([house.loop.waiting, house.loop.depth]).toEqual([0, 0]);
    expect(house.told.map(({ reason }) => reason).filter((reason) => reason === "SigningFailed")).toHaveLength(2);
    expect(JSON.stringify(house.told)).not.toContain("canary");
    expect(await house.metrics.registry.metrics()).toContain("countersign_runs_failed_total 2");
  });

  test("the cluster's own failure is waited for, said, and counted against no run", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    let down = true;
    cluster.step = async (step) => {
      if (down && step.startsWith("annotate ")) throw new CountersignError("mark.api-refused", "the API server says no", { retry: "wait" });
    };
    const { clock, kinds, told } = await live(cluster);
    expect([kinds(), told.map(({ message }) => message)]).toEqual([["visit-failed"], ["the API server says no"]]);
    down = false;
    await clock.advance(1_200);
    await turns();
    expect([note(cluster, "build", "signed"), note(cluster, "build", "retries")]).toEqual(["true", undefined]);
  });

  test("an Event that cannot be written is a line in the log and nothing more", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const { news } = await live(cluster, { signer: lockable(), events: { tell: () => Promise.reject(new Error("no")) } });
    expect(news).toContainEqual(expect.objectContaining({ kind: "trouble", what: "an Event could not be written" }));
  });

  test("signatures and stores are counted", async () => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const { metrics } = await live(cluster);
    const text = await metrics.registry.metrics();
    for (const name of ["sign_created", "payload_stored", "marked_signed"]) expect(text).toContain(`watcher_taskrun_${name}_total 1`);
  });
});

describe("the end", () => {
  /** A visit that hangs in its signer, for as long as it may, or longer. */
  const hanging = (listens: boolean): Signer => ({
    name: "x509",
    sign: (_message, { signal }) =>
      new Promise((_, reject) => listens && signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  });

  test("a visit under way is finished, what is queued is not begun", async () => {
    const cluster = memoryCluster();
    for (const name of ["a", "b"]) cluster.put({ name });
    const { promise, resolve } = Promise.withResolvers<void>();
    cluster.step = async (step) => {
      if (step.startsWith("annotate ")) await promise;
    };
    const { stop, over } = await live(cluster, { visitsAtOnce: 1 });
    stop.abort();
    await turns();
    resolve();
    await over;
    expect(["a", "b"].map((name) => note(cluster, name, "signed")).sort()).toEqual(["true", undefined]);
  });

  test.each([
    ["listens to the abort", true, 8_000],
    ["listens to nothing", false, 8_500],
  ])("a visit that hangs and %s holds up the end no longer than its time", async (_what, listens, ms) => {
    const cluster = memoryCluster();
    cluster.put({ name: "build" });
    const { stop, over, clock, news } = await live(cluster, { signer: hanging(listens) });
    let ended = false;
    void over.then(() => {
      ended = true;
    });
    stop.abort();
    await turns();
    await clock.advance(ms - 1);
    await turns();
    expect(ended).toBe(false);
    await clock.advance(1);
    await turns();
    expect([ended, news]).toEqual([true, []]);
    expect(note(cluster, "build", "retries")).toBeUndefined();
  });
});
