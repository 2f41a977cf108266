import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { attestRun, type Drafts, failuresOf, type Ledger, memoryLedger, type Observer, type Report } from "@countersign/attest";
import { seenAt } from "@countersign/bundle";
import { CountersignError, type Formatter, type Found, retryOf, route } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { identityTokens, type KeylessOptions, keylessSigner } from "@countersign/signers-keyless";
import { rekorWitness } from "@countersign/storage-rekor";
import {
  canary,
  type FakeClock,
  type Fault,
  type Fulcio,
  type FulcioMood,
  fakeClock,
  fulcio,
  type MemoryStorage,
  type Misbehaving,
  memoryStorage,
  misbehave,
  oidcIssuer,
  type Rekor,
  rekor,
  trustedRoot,
} from "@countersign/testing";
import { world, worldDrafts } from "@countersign/testing/world";
import { trustedRootFrom, trustSource, verify } from "@countersign/verify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const signal = new AbortController().signal;
const minute = 60_000;
const identity = { certificateIdentity: "https://example.test/somebody" };

let clock: FakeClock;
let dir = "";
let net: Http;
let ca: Fulcio;
let log: Rekor;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  clock = fakeClock();
  dir = await mkdtemp(join(tmpdir(), "keyless-"));
  net = http({ backOffMs: () => 1 });
  ca = await fulcio({ now: clock.now });
  log = await rekor({ now: clock.now });
  open.push(net, ca, log);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await rm(dir, { recursive: true });
});

const rootText = (): string =>
  trustedRoot({ certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }], ctLogs: ca.ctLogs, logs: log.logs });

const runNamed = (uid: string) => {
  const ref = { kind: "TaskRun", namespace: "ci", name: uid, uid } as const;
  const artifact = {
    kind: "taskrun",
    run: ref,
    serviceAccount: "default",
    shortKey: `taskrun-${uid}`,
    fullKey: `tekton.dev-v1-TaskRun-${uid}`,
  } as const;
  return { ref, annotations: {}, artifact };
};
const bodyOf = (uid: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      predicateType: "https://slsa.dev/provenance/v1",
      subject: [{ name: uid, digest: { sha256: "a".repeat(64) } }],
      predicate: { runDetails: { builder: { id: "https://builder.example" }, metadata: { invocationId: uid } } },
    }),
  );
const provenance: Formatter<ReturnType<typeof runNamed>> = {
  name: "slsa/v2alpha4",
  format: ({ ref: { uid } }) => ({
    format: "slsa/v2alpha4",
    envelope: "dsse",
    mediaType: "application/vnd.in-toto+json",
    predicateType: "https://slsa.dev/provenance/v1",
    subjects: [{ name: uid, digest: { sha256: "a".repeat(64) } }],
    body: bodyOf(uid),
  }),
};

interface Pipeline {
  readonly storage: MemoryStorage;
  attest(uid: string, ledger?: Ledger): Promise<Report>;
  /** What verifiers say of what is stored for these runs; empty: all is well. */
  complaints(uids: readonly string[]): Promise<readonly string[]>;
}

interface Surroundings {
  readonly rekorUrl?: string;
  readonly observe?: Observer;
  readonly storage?: MemoryStorage;
  readonly drafts?: Drafts;
}

/** A projected token file, Fulcio, Rekor, a trust root file: as the controller puts them together. */
function pipeline(options: Partial<KeylessOptions> & Surroundings = {}): Pipeline {
  const { rekorUrl = log.url, observe, drafts, storage = memoryStorage(), ...keyless } = options;
  const trust = trustSource({ file: join(dir, "trusted_root.json"), now: clock.now });
  const tokens = identityTokens({ http: net, env: {}, file: join(dir, "token") });
  const signer = keylessSigner({ url: ca.url, http: net, tokens, trust, now: clock.now, ...keyless });
  const witness = rekorWitness({ url: rekorUrl, http: net, trust, now: clock.now });
  const found = async (uid: string): Promise<readonly Found[]> => {
    const run = runNamed(uid);
    return storage.find({ artifact: run.artifact, payload: provenance.format(run), annotations: {} }, { signal });
  };
  return {
    storage,
    attest: (uid, ledger = memoryLedger()) => {
      const run = runNamed(uid);
      return attestRun(run, [route(run, provenance, { signer, witnesses: [witness], backends: [storage] })], {
        signal,
        ledger,
        ...(observe && { observe }),
        ...(drafts && { drafts }),
      });
    },
    async complaints(uids) {
      const sigstore = trustedRootFrom(rootText());
      const all: string[] = [];
      for (const uid of uids) {
        const there = await found(uid);
        if (there.length !== 1) all.push(`${uid}: ${there.length} signatures`);
        for (const one of there)
          for (const { sentence } of verify(
            one,
            bodyOf(uid),
            { publicKeys: [], sigstore },
            { identity: { ...identity, oidcIssuer: ca.issuer.url } },
          ).reasons)
            all.push(`${uid}: ${sentence}`);
      }
      return all;
    },
  };
}

const writeToken = (lifeMs = 10 * minute): Promise<void> => writeFile(join(dir, "token"), `${ca.issuer.token({}, { lifeMs })}\n`);
const writeTrust = (): Promise<void> => writeFile(join(dir, "trusted_root.json"), rootText());
const uids = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `u${index}`);

test("tokens that last ten minutes and are replaced every ten, for half a day: no failure, and every attestation verifies", async () => {
  await writeTrust();
  const { attest, complaints } = pipeline();
  const all = uids(12 * 12);
  for (const [index, uid] of all.entries()) {
    if (index % 2 === 0) await writeToken();
    expect(failuresOf(await attest(uid))).toEqual([]);
    await clock.advance(5 * minute);
  }
  expect(await complaints(all)).toEqual([]);
  expect(ca.issued).toBeGreaterThanOrEqual(12 * 6);
  expect(log.entries).toHaveLength(all.length);
});

test("a certificate that ends in the middle of a queue: a new one, no failure", async () => {
  await Promise.all([writeTrust(), writeToken(60 * minute)]);
  const { attest, complaints } = pipeline();
  const all = uids(200);
  let atWork = 0;
  const ticking = all.map(async (uid, index) => {
    await clock.sleep(index * 8_000);
    atWork += 1;
    return failuresOf(await attest(uid).finally(() => void atWork--));
  });
  let done = false;
  const failures = Promise.all(ticking).finally(() => {
    done = true;
  });
  while (!done) {
    await clock.advance(1_000);
    // Sockets know nothing of this clock: it stands still until they are done.
    while (atWork > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect((await failures).flat()).toEqual([]);
  expect(await complaints(all)).toEqual([]);
  expect(ca.issued).toBeGreaterThanOrEqual(3);
});

test("Rekor is down for an hour: what was signed before is signed anew in time, and all is in the log once and verifies", async () => {
  await Promise.all([writeTrust(), writeToken(180 * minute)]);
  const proxy = await misbehave(log.url);
  open.push(proxy);
  const { attest, complaints } = pipeline({ rekorUrl: proxy.url });
  proxy.fault = () => ({ kind: "status", status: 503 });
  const [all, ledger] = [uids(50), memoryLedger()];
  for (let passed = 0; passed < 60; passed += 5) {
    for (const uid of all) {
      const failures = failuresOf(await attest(uid, ledger));
      expect(failures.map(retryOf)).toEqual(["wait"]);
    }
    await clock.advance(5 * minute);
  }
  proxy.fault = () => undefined;
  for (const uid of all) expect(failuresOf(await attest(uid, ledger))).toEqual([]);
  expect(await complaints(all)).toEqual([]);
  expect(log.entries).toHaveLength(all.length);
});

describe("restarted with an empty memory and another certificate", () => {
  /** Before and after each call of a plug-in; from the k-th moment on the process is dead. */
  function killedAt(k: number): Observer {
    let moments = 0;
    const moment = (): void => {
      moments += 1;
      if (moments > k) throw new Error("killed");
    };
    return async (_stage, _plugin, work) => {
      moment();
      const value = await work();
      moment();
      return value;
    };
  }
  async function unsearchable(): Promise<void> {
    log = await rekor({ now: clock.now, index: false });
    open.push(log);
    await writeTrust();
  }

  test.each([
    ["a log that can be searched", false],
    ["a log that cannot, and drafts", true],
  ])("killed before or after any call, %s: one entry, one signature", async (_, drafting) => {
    await (drafting ? unsearchable() : writeTrust());
    const storage = memoryStorage();
    const earth = world();
    const more = drafting ? { storage, drafts: worldDrafts(earth) } : { storage };
    const lives: readonly number[][] = Array.from({ length: 16 }, (_, first) => [
      first,
      (first * 7) % 16,
      (first * 3) % 16,
      Number.POSITIVE_INFINITY,
    ]);
    for (const [index, life] of lives.entries()) {
      for (const k of life) {
        await writeToken();
        const report = await pipeline({ ...more, observe: killedAt(k) }).attest(`u${index}`);
        if (k === Number.POSITIVE_INFINITY) expect(failuresOf(report)).toEqual([]);
        await clock.advance(15 * minute);
      }
      expect([storage.size, log.entries.length]).toEqual([index + 1, index + 1]);
    }
    expect(await pipeline({ storage }).complaints(lives.map((_, index) => `u${index}`))).toEqual([]);
  });

  test("a draft that reached the log too late is not stored, and its entry is told", async () => {
    await unsearchable();
    await writeToken(60 * minute);
    const proxy = await misbehave(log.url);
    open.push(proxy);
    const earth = world();
    const [storage, drafts] = [memoryStorage(), worldDrafts(earth)];
    proxy.fault = () => ({ kind: "status", status: 503 });
    expect(failuresOf(await pipeline({ storage, drafts, rekorUrl: proxy.url }).attest("u"))).toMatchObject([{ retry: "wait" }]);
    await clock.advance(15 * minute);
    // As a gateway does that kept the request for so long.
    const [draft] = earth.drafts.values();
    const { artifact } = runNamed("u");
    const payload = provenance.format(runNamed("u"));
    if (draft) await rekorWitness({ url: log.url, http: net, now: clock.now }).testify({ ...draft, artifact, payload }, { signal });
    const report = await pipeline({ storage, drafts }).attest("u");
    expect(failuresOf(report)).toEqual([]);
    expect(report.outcomes[0]?.orphans).toMatchObject([{ kind: "log-entry", entry: { logIndex: "0" } }]);
    expect([storage.size, log.entries.length]).toEqual([1, 2]);
    expect(await pipeline({ storage }).complaints(["u"])).toEqual([]);
  });
});

describe("clocks", () => {
  test.each([5, -5])("%i minutes off: signed, logged, verified", async (off) => {
    await writeTrust();
    const { attest, complaints } = pipeline({ now: () => clock.now() + off * minute });
    const all = uids(40);
    for (const [index, uid] of all.entries()) {
      if (index % 10 === 0) await writeToken(15 * minute);
      expect(failuresOf(await attest(uid))).toEqual([]);
      await clock.advance(minute);
    }
    expect(await complaints(all)).toEqual([]);
  });

  test("15 minutes ahead: held, with a sentence that says what to do", async () => {
    await Promise.all([writeTrust(), writeToken(60 * minute)]);
    const [failure] = failuresOf(await pipeline({ now: () => clock.now() + 15 * minute }).attest("u"));
    expect(failure).toMatchObject({
      code: "sign.clock-skewed",
      retry: "hold",
      message: expect.stringContaining("set this machine's clock (NTP)"),
    });
    expect(log.entries).toEqual([]);
  });
});

test("the CT log's key changes: everything waits, and is signed once the trust root's file has it, without a restart", async () => {
  await Promise.all([writeTrust(), writeToken(180 * minute)]);
  const { attest, complaints, storage } = pipeline();
  expect(failuresOf(await attest("before"))).toEqual([]);
  ca.rotateCtLog();
  await clock.advance(10 * minute);
  const ledger = memoryLedger();
  for (const uid of uids(20))
    expect(failuresOf(await attest(uid, ledger))).toMatchObject([{ code: "sign.certificate-untrusted", retry: "wait" }]);
  expect([storage.size, log.entries.length]).toEqual([1, 1]);
  await writeTrust();
  await clock.advance(minute);
  for (const uid of uids(20)) expect(failuresOf(await attest(uid, ledger))).toEqual([]);
  expect(await complaints(["before", ...uids(20)])).toEqual([]);
});

describe("no token, claim or answer is ever told", () => {
  const claims = { sub: `https://example.test/${canary}-claim`, email: undefined };
  const mark = `${canary}-claim`;

  const faults: readonly (readonly [string, Fault])[] = [
    ...[400, 401, 403, 404, 409, 413, 429, 500, 503].map((status) => [`${status}`, { kind: "status", status }] as const),
    ["garbage", { kind: "garbage" }],
    ["cut", { kind: "cut" }],
    ["cut in the answer", { kind: "cut", afterBytes: 20 }],
    ["a lost answer", { kind: "lost-answer" }],
    ["a redirect with a query", { kind: "status", status: 302, headers: { location: `http://127.0.0.1:1/?${canary}` } }],
  ];
  const moods: readonly FulcioMood[] = ["other-key", "other-chain", "broken-chain", "foreign-sct", "no-sct", "no-v2"];

  /** What a log line, an Event, an annotation or a crash report could show of it. */
  const everything = (values: readonly unknown[]): string =>
    values
      .map(
        (value) =>
          `${inspect(value, { depth: 20, showHidden: true })} ${JSON.stringify(value)} ${value instanceof Error ? value.stack : ""}`,
      )
      .join("\n");

  function parts(token: string): readonly string[] {
    return [token, ...token.split(".").filter(({ length }) => length > 8)];
  }

  async function failureOf(token: string, options: Partial<KeylessOptions> = {}): Promise<readonly unknown[]> {
    await writeFile(join(dir, "token"), token);
    return failuresOf(await pipeline(options).attest("u"));
  }

  async function proxied(fault: Fault): Promise<Misbehaving> {
    const proxy = await misbehave(ca.url);
    open.push(proxy);
    proxy.fault = () => fault;
    return proxy;
  }

  const tokens: readonly (readonly [string, () => string])[] = [
    ["RS256", () => ca.issuer.token(claims, { algorithm: "RS256" })],
    ["ES256", () => ca.issuer.token(claims, { algorithm: "ES256" })],
    ["expired", () => ca.issuer.token(claims, { lifeMs: -1 * minute })],
    ["long expired", () => ca.issuer.token(claims, { lifeMs: -60 * minute })],
    ["unparsable", () => `${canary}.${canary}.${canary}`],
    ["two segments", () => ca.issuer.token(claims).split(".").slice(0, 2).join(".")],
    ["for another audience", () => ca.issuer.token({ ...claims, aud: canary })],
    ["with an unverified address", () => ca.issuer.token({ email: `${canary}@example.test` })],
  ];

  test.each(tokens)("a token that is %s, under every fault and mood", async (_, make) => {
    await writeTrust();
    const token = make();
    let failed = 0;
    const searched = (failures: readonly unknown[]): void => {
      const text = everything(failures);
      for (const secret of [canary, mark, ...parts(token)]) expect(text).not.toContain(secret);
      for (const failure of failures) expect(CountersignError.is(failure)).toBe(true);
      failed += failures.length;
    };
    for (const mood of [undefined, ...moods]) {
      ca.mood = mood;
      searched(await failureOf(token));
    }
    ca.mood = undefined;
    for (const [, fault] of faults) searched(await failureOf(token, { url: (await proxied(fault)).url }));
    expect(failed).toBeGreaterThan(moods.length);
  });

  test("a token of an issuer that Fulcio does not know", async () => {
    await writeTrust();
    const other = await oidcIssuer({ now: clock.now });
    open.push(other);
    const token = other.token(claims);
    const failures = await failureOf(token);
    expect(failures).toMatchObject([{ code: "sign.ca-refused", retry: "hold" }]);
    for (const secret of parts(token)) expect(everything(failures)).not.toContain(secret);
  });

  test("the search finds what it looks for", () => {
    expect(everything([new Error("x", { cause: new Error(canary) })])).toContain(canary);
    expect(everything([Object.assign(new Error("x"), { headers: { a: { b: canary } } })])).toContain(canary);
  });
});

test("what was signed is seen by the log while its certificate is good", async () => {
  await Promise.all([writeTrust(), writeToken(60 * minute)]);
  const { attest } = pipeline();
  const [outcome] = (await attest("u")).outcomes;
  const at = (seenAt(outcome?.attestation?.evidence ?? []) ?? 0) * 1000;
  expect(Math.abs(at - clock.now())).toBeLessThan(1_000);
});
