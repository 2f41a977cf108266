import { signatureBlobOf } from "@countersign/bundle";
import {
  type AnyRun,
  type Artifact,
  type Attestation,
  CountersignError,
  type Formatter,
  type Route,
  route,
  type Signer,
  type StorageBackend,
  type Witness,
} from "@countersign/core";
import {
  certifiedSigners,
  deterministicSigner,
  killAt,
  logWitness,
  type World,
  world,
  worldAnnotations,
  worldDrafts,
  worldTags,
} from "@countersign/testing/world";
import { describe, expect, test } from "vitest";
import { attestRun } from "./attest-run.ts";
import { memoryLedger } from "./ledger.ts";
import { failuresOf, type Report } from "./report.ts";

const signal = new AbortController().signal;
const digest = "a".repeat(64);
const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const;
const run: AnyRun & { artifact: Artifact } = {
  ref,
  annotations: {},
  artifact: { kind: "taskrun", run: ref, serviceAccount: "default", shortKey: "taskrun-u1", fullKey: "tekton.dev-v1-TaskRun-u1" },
};
const image = {
  artifact: { ...run.artifact, kind: "image" as const, shortKey: digest.slice(0, 12), fullKey: `r.io/app@sha256:${digest}` },
  repository: "r.io/app",
};
const subjects = [{ name: "r.io/app", digest: { sha256: digest } }];
const provenance: Formatter<typeof run> = {
  name: "slsa/v1",
  format: ({ ref: { uid } }) => ({
    format: "slsa/v1",
    envelope: "dsse",
    mediaType: "application/vnd.in-toto+json",
    subjects,
    body: Buffer.from(JSON.stringify({ subject: subjects, uid })),
  }),
};
const simplesigning: Formatter<typeof image> = {
  name: "simplesigning",
  format: ({ repository }) => ({
    format: "simplesigning",
    envelope: "none",
    mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
    subjects,
    body: Buffer.from(repository),
  }),
};
const rsa = deterministicSigner();
const routesOn = (earth: World, signer = rsa): readonly Route[] => {
  const through = { signer, witnesses: [logWitness(earth)], backends: [worldAnnotations, worldTags(earth)] };
  return [route(run, provenance, through), route(image, simplesigning, through)];
};
const codes = (report: Report): readonly string[] =>
  failuresOf(report).map((failure) => (CountersignError.is(failure) ? failure.code : String(failure)));
const sizes = (earth: World): readonly number[] => [...earth.tags.values()].map((layers) => layers.length);

test("a run goes the whole way: formatted, signed, witnessed, stored, read back", async () => {
  const earth = world();
  const report = await attestRun(run, routesOn(earth), { signal });
  expect(codes(report)).toEqual([]);
  expect(report.outcomes.map((outcome) => [outcome.route, outcome.stored.length])).toEqual([
    ["taskrun/slsa/v1", 2],
    ["image/simplesigning", 2],
  ]);
  expect([...earth.tags.keys()]).toEqual([`r.io/app:sha256-${digest}.att`, `r.io/app:sha256-${digest}.sig`]);
  expect(earth.entries.size).toBe(2);
  const [first] = report.outcomes;
  expect(first?.attestation && Buffer.from(signatureBlobOf(first.attestation)).toString()).toContain(
    '"payloadType":"application/vnd.in-toto+json"',
  );
});

test("the same run again writes nothing twice, with one key or with a new certificate", async () => {
  const keyless = certifiedSigners();
  for (const signerOf of [() => rsa, keyless]) {
    const earth = world();
    for (let process = 0; process < 3; process++)
      expect(codes(await attestRun(run, routesOn(earth, signerOf(earth)), { signal }))).toEqual([]);
    expect(sizes(earth)).toEqual([1, 1]);
  }
});

describe("failures are values", () => {
  test("one backend's failure keeps no other from its turn, and no other route either", async () => {
    const earth = world();
    earth.down = { registry: new CountersignError("store.refused", "no", { retry: "counted" }) };
    const report = await attestRun(run, routesOn(earth), { signal });
    expect(codes(report)).toEqual(["store.refused", "store.refused"]);
    expect(report.outcomes.every((outcome) => outcome.stored.some(({ annotations }) => annotations))).toBe(true);
  });

  test("a formatter, a signer or a witness that fails ends its own route only", async () => {
    const earth = world();
    const [good] = routesOn(earth);
    const through = { signer: rsa, witnesses: [], backends: [worldAnnotations] };
    const wrong = (code: "format.x" | "sign.x" | "witness.x") => new CountersignError(code, "x", { retry: "never" });
    const routes = [
      route(
        run,
        {
          name: "f",
          format: () => {
            throw wrong("format.x");
          },
        },
        through,
      ),
      route(run, provenance, { ...through, signer: { name: "s", sign: () => Promise.reject(wrong("sign.x")) } }),
      route(run, provenance, { ...through, witnesses: [{ name: "w", testify: () => Promise.reject(wrong("witness.x")) }] }),
      ...(good ? [good] : []),
    ];
    const report = await attestRun(run, routes, { signal });
    expect(codes(report)).toEqual(["format.x", "sign.x", "witness.x"]);
    expect(report.outcomes.at(-1)?.failures).toEqual([]);
    expect(report.outcomes[2]?.stored).toEqual([]);
  });

  test("what a backend does not give back was not stored", async () => {
    const earth = world();
    const liar: StorageBackend = { ...worldTags(earth), find: async () => [] };
    const report = await attestRun(run, [route(run, provenance, { signer: rsa, witnesses: [], backends: [liar, worldAnnotations] })], {
      signal,
    });
    expect(codes(report)).toEqual(["store.read-back"]);
    expect(report.outcomes[0]?.stored).toHaveLength(1);
  });

  test("an abort is nobody's failure: it rejects", async () => {
    const stop = new AbortController();
    const stuck: StorageBackend = {
      name: "stuck",
      store: async () => {
        stop.abort();
        throw stop.signal.reason;
      },
    };
    const doomed = attestRun(run, [route(run, provenance, { signer: rsa, witnesses: [], backends: [stuck] })], { signal: stop.signal });
    await expect(doomed).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("killed at every step, twice over", () => {
  test.each([
    ["deterministic", () => () => rsa],
    ["certified", certifiedSigners],
    ["certified, with drafts", certifiedSigners],
  ] as const)("%s", async (kind, make) => {
    const signerOf = make();
    let length = Number.POSITIVE_INFINITY;
    let lives = 0;
    for (let first = 0; first <= length; first++)
      for (const second of [Number.POSITIVE_INFINITY, first % 5, first % 7]) {
        const earth = world();
        let done = false;
        for (const end of [first, second, Number.POSITIVE_INFINITY]) {
          const life = killAt(end);
          const options = { signal, ...(kind === "certified, with drafts" && { drafts: worldDrafts(earth) }) };
          const report = await attestRun(run, routesOn(Object.assign(earth, { step: life.step }), signerOf(earth)), options);
          done = failuresOf(report).length === 0;
          if (done && end === first) length = first;
          lives++;
        }
        expect(done).toBe(true);
        expect(sizes(earth)).toEqual([1, 1]);
        expect(earth.entries.size).toBe(2);
      }
    expect(lives).toBeGreaterThan(30);
  });
});

describe("drafts: what could not be made again is written down before a log sees it", () => {
  const outage = new CountersignError("store.down", "down", { retry: "wait" });
  const attested = (earth: World, signer: Signer): Promise<Report> =>
    attestRun(run, routesOn(earth, signer).slice(0, 1), { signal, drafts: worldDrafts(earth) });
  /** Counts what happened in a world. */
  function watched(earth: World): Map<string, number> {
    const seen = new Map<string, number>();
    earth.step = async (label) => void seen.set(label, (seen.get(label) ?? 0) + 1);
    return seen;
  }

  test("nothing for a signature that can be made again, nor where no log is asked", async () => {
    const earth = world();
    await attested(earth, rsa);
    const [first] = routesOn(earth, certifiedSigners()(earth));
    if (first) await attestRun(run, [{ ...first, witnesses: [] }], { signal, drafts: worldDrafts(earth) });
    expect(earth.drafts.size).toBe(0);
  });

  test("the log sees nothing before the draft stands, and is not searched where none does", async () => {
    const earth = world();
    earth.down = { "run:keep": outage };
    const seen = watched(earth);
    expect(codes(await attested(earth, certifiedSigners()(earth)))).toEqual(["store.down"]);
    expect([seen.get("log:ask"), seen.get("log:search")]).toEqual([undefined, undefined]);
  });

  test("once, however many tries the log takes; the next life shows the log the same signature", async () => {
    const [earth, signers] = [world(), certifiedSigners()];
    const seen = watched(earth);
    earth.down = { "log:ask": outage };
    for (const signerOfLife of [signers(earth), signers(earth)])
      for (const _try of [1, 2]) expect(codes(await attested(earth, signerOfLife))).toEqual(["store.down"]);
    earth.down = {};
    const [draft] = earth.drafts.values();
    const report = await attested(earth, signers(earth));
    expect([codes(report), seen.get("run:kept"), seen.get("authority:sign")]).toEqual([[], 1, 1]);
    expect(report.outcomes[0]?.attestation?.signature.bytes).toEqual(draft?.signature.bytes);
  });

  test("with the word of whoever was asked before the log and keeps nothing", async () => {
    const earth = world();
    const token = { kind: "timestamp", token: "dG9rZW4=" } as const;
    const clock: Witness = { name: "timestamp", testify: async () => token };
    const [first] = routesOn(earth, certifiedSigners()(earth));
    const routes = first ? [{ ...first, witnesses: [clock, ...first.witnesses] }] : [];
    const seen = watched(earth);
    await attestRun(run, routes, { signal, drafts: worldDrafts(earth) });
    expect([seen.get("run:kept"), [...earth.drafts.values()].map(({ evidence }) => evidence)]).toEqual([1, [[token]]]);
  });

  test("of another payload than today's it is not looked for", async () => {
    const [earth, signers] = [world(), certifiedSigners()];
    earth.down = { "log:ask": outage };
    await attested(earth, signers(earth));
    earth.down = {};
    for (const [name, draft] of earth.drafts) earth.drafts.set(name, { ...draft, digest });
    const seen = watched(earth);
    expect(codes(await attested(earth, signers(earth)))).toEqual([]);
    expect([seen.get("log:search"), seen.get("authority:sign"), earth.entries.size]).toEqual([undefined, 1, 1]);
  });

  describe("its certificate has run out meanwhile", () => {
    /** What nobody saw is no good any more; what the log saw is, if that was in time. */
    const later = (signer: Signer, inTime: boolean): Signer => ({
      ...signer,
      recognise: async (message, found, call) =>
        signer.recognise?.(message, inTime ? found.filter(({ seenAt }) => seenAt !== undefined) : [], call),
    });
    async function nextLife(dies: "before the log" | "after the log", inTime: boolean) {
      const [earth, signers] = [world(), certifiedSigners()];
      earth.down = dies === "before the log" ? { "log:ask": outage } : { "registry:put": outage };
      const [first] = routesOn(earth, signers(earth));
      if (first) await attestRun(run, [{ ...first, backends: [worldTags(earth)] }], { signal, drafts: worldDrafts(earth) });
      earth.down = {};
      const [draft] = earth.drafts.values();
      const report = await attested(earth, later(signers(earth), inTime));
      expect(codes(report)).toEqual([]);
      const [{ attestation, orphans = [] } = { orphans: [] }] = report.outcomes;
      const same = draft !== undefined && Buffer.compare(attestation?.signature.bytes ?? Buffer.of(), draft.signature.bytes) === 0;
      return { same, entries: earth.entries.size, orphans: orphans.length };
    }

    test("and the log saw it in time: it is taken up", async () => {
      expect(await nextLife("after the log", true)).toEqual({ same: true, entries: 1, orphans: 0 });
    });
    test("and the log saw it too late: another is made, and the entry is told", async () => {
      expect(await nextLife("after the log", false)).toEqual({ same: false, entries: 2, orphans: 1 });
    });
    test("and the log never saw it: another is made", async () => {
      expect(await nextLife("before the log", true)).toEqual({ same: false, entries: 1, orphans: 0 });
    });
  });
});

test("between two tries of a process the ledger keeps the signature and the log's word", async () => {
  const earth = world();
  const ledger = memoryLedger();
  const signer = certifiedSigners()(earth);
  earth.down = { "registry:put": new CountersignError("store.down", "down", { retry: "wait" }) };
  await attestRun(run, routesOn(earth, signer), { signal, ledger });
  expect(ledger.bytes).toBeGreaterThan(0);
  earth.down = {};
  let asked = 0;
  earth.step = async (label) => {
    asked += Number(label === "log:ask");
  };
  expect(codes(await attestRun(run, routesOn(earth, signer), { signal, ledger }))).toEqual([]);
  expect([asked, earth.entries.size]).toEqual([0, 2]);
  ledger.forget("u1");
  expect(ledger.bytes).toBe(0);
});

test("a full ledger forgets whom it has not heard of for longest", () => {
  const ledger = memoryLedger({ maxBytes: 3_000 });
  const found = { digest, signature: { bytes: Buffer.of(1) }, evidence: [] };
  const of = (uid: string): Artifact => ({ ...run.artifact, run: { ...ref, uid } });
  for (let n = 0; n < 50; n++) {
    ledger.remember(of(`u${n}`), "r", found);
    expect(ledger.bytes).toBeLessThanOrEqual(3_000);
  }
  expect([ledger.recall(of("u0"), "r").length, ledger.recall(of("u49"), "r").length]).toEqual([0, 1]);
});

test("a stranger's backend is a class, and types keep inputs and formatters together", async () => {
  class ParcelShop {
    name = "parcel-shop";
    #shelf = new Map<string, Attestation>();
    async store(attestation: Attestation) {
      this.#shelf.set(attestation.artifact.fullKey, attestation);
      return { uris: [`shop:${attestation.artifact.fullKey}`] };
    }
    get size(): number {
      return this.#shelf.size;
    }
  }
  const shop = new ParcelShop();
  const through = { signer: rsa, witnesses: [], backends: [shop] };
  expect(codes(await attestRun(run, [route(run, provenance, through)], { signal }))).toEqual([]);
  expect(shop.size).toBe(1);
  // @ts-expect-error a run is not an image
  route(run, simplesigning, through);
});

test("the observer sees each call of a plug-in once", async () => {
  const seen: string[] = [];
  await attestRun(run, routesOn(world()).slice(0, 1), {
    signal,
    observe: (stage, plugin, work) => {
      seen.push(`${stage} ${plugin}`);
      return work();
    },
  });
  expect(seen.sort()).toEqual(["sign x509", "store oci", "store oci", "store tekton", "store tekton", "witness rekor"]);
});
