import { inspect } from "node:util";
import { messageOf } from "@countersign/bundle";
import { type Attestation, CountersignError, type Payload, type StoredAt } from "@countersign/core";
import { type HttpOptions, hostPolicy, http } from "@countersign/http";
import { type CredentialSource, type OciOptions, ociStorage } from "@countersign/storage-oci";
import { canary, type Fault, fakeSigner, type Misbehaving, misbehave, type Registry, registry } from "@countersign/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

/** One failure of a registry after the other: what was to be stored is stored once, or a typed error says in a sentence why not. */
type Layout = "tags" | "bundles";

const user = { name: "canary-user-77ab", password: "canary-passw0rd-1c9e" };
const credentials: CredentialSource = async () => [
  { kind: "basic", username: user.name, password: user.password, source: "secret ci/push" },
];
/** Nothing of this may be told by anybody. */
const secrets: readonly RegExp[] = [
  new RegExp(canary),
  new RegExp(user.password),
  new RegExp(Buffer.from(`${user.name}:${user.password}`).toString("base64").slice(0, 40)),
  /token-[0-9a-f]{8}-[0-9a-f-]{27}/,
];
/** For one attempt at one place: long, unless the fault is that nothing ends. */
const usualMs = 8_000;
const shortMs = 600;

const signer = fakeSigner();
async function attestationOf(name: string, digest: string, more = ""): Promise<Attestation> {
  const [hex, run] = [digest.slice(7), { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const];
  const subjects = [{ name, digest: { sha256: hex } }];
  const predicateType = "https://slsa.dev/provenance/v1";
  const statement = { _type: "https://in-toto.io/Statement/v1", subject: subjects, predicateType, predicate: { more } };
  const payload: Payload = {
    ...{ format: "slsa/v2alpha4", envelope: "dsse", mediaType: "application/vnd.in-toto+json", predicateType, subjects },
    body: Buffer.from(JSON.stringify(statement)),
  };
  const signature = await signer.sign(messageOf(payload), { signal: new AbortController().signal });
  const artifact = { kind: "taskrun", run, serviceAccount: "builder", shortKey: "taskrun-u1", fullKey: `${name}@${digest}` } as const;
  return { artifact, payload, signature, evidence: [] };
}

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A storage that has never met the registry, as after a start. */
function storageAt(layout: Layout, more: Partial<OciOptions> = {}, way: HttpOptions = {}): ReturnType<typeof ociStorage> {
  const wire = http({ env: {}, backOffMs: () => 1, hostPolicy: hostPolicy({ allowLoopback: true }), ...way });
  cleanUp.push(() => wire.close());
  return ociStorage({ http: wire, credentials, layout, totalMs: usualMs, lookAfterMs: () => 1, ...more });
}

const signalIn = (ms = 30_000): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ms) });

interface Verdict {
  readonly stored?: StoredAt;
  readonly error?: CountersignError;
  readonly tookMs: number;
}

/** Stored, or a typed error with a sentence; never anything else, never a secret. */
async function attempt(work: () => Promise<StoredAt>): Promise<Verdict> {
  const start = performance.now();
  try {
    return { stored: await work(), tookMs: performance.now() - start };
  } catch (error) {
    const tookMs = performance.now() - start;
    const told = `${inspect(error, { depth: 20, maxStringLength: null })} ${(error as Error).message}`;
    for (const secret of secrets) expect(told).not.toMatch(secret);
    expect(CountersignError.is(error), told).toBe(true);
    const typed = error as CountersignError;
    expect(typed.message).toMatch(/^\S.{20,500}$/);
    expect(["wait", "counted", "never"]).toContain(typed.retry);
    return { error: typed, tookMs };
  }
}

/** A registry that wants a token, behind a proxy that fails as it is told; and a way in for people who just look. */
interface Shop {
  readonly store: Registry;
  readonly gate: Misbehaving;
}

async function shop(referrers: boolean): Promise<Shop> {
  const store = await registry({ referrers });
  return { store, gate: await misbehave(store.url, { auth: { scheme: "bearer", users: { [user.name]: user.password } } }) };
}

/** How often this payload is attached, as somebody sees it who reads straight from the registry. */
async function copiesOf({ payload }: Attestation, { store }: Shop, repository: string, digest: string): Promise<number> {
  const all = await storageAt("tags", { credentials: async () => [] }).discover(`${store.host}/${repository}@${digest}`, signalIn());
  return all.filter((one) => Buffer.from(one.payload).equals(payload.body)).length;
}

const once: readonly Fault[] = [
  { kind: "cut" },
  { kind: "cut", afterBytes: 5 },
  { kind: "lost-answer" },
  ...[401, 403, 404, 408, 413, 503].map((status) => ({ kind: "status", status }) as const),
  { kind: "status", status: 429, headers: { "retry-after": "120" } },
  { kind: "status", status: 307, headers: { location: "http://169.254.169.254/latest/meta-data" } },
  { kind: "garbage" },
  { kind: "flip" },
  { kind: "endless" },
];
const lasting: readonly Fault[] = [
  ...[401, 404, 500].map((status) => ({ kind: "status", status }) as const),
  { kind: "cut" },
  { kind: "garbage" },
  { kind: "endless" },
  { kind: "half-open" },
  { kind: "slow", msPerByte: 100 },
];

const shops = new Map<boolean, Shop>();
beforeAll(async () => {
  for (const referrers of [true, false]) shops.set(referrers, await shop(referrers));
});
afterAll(async () => {
  for (const { gate, store } of shops.values()) {
    await gate.close();
    await store.close();
  }
});
let scenes = 0;
const shopWith = (referrers: boolean): Shop => shops.get(referrers) ?? expect.fail("no shop");

describe.each<[string, Layout, boolean]>([
  ["tags", "tags", false],
  ["bundles in the list of referrers", "bundles", true],
  ["bundles under the fallback tag", "bundles", false],
])("%s", (_, layout, referrers) => {
  /** Somebody else's attestation lies there already; ours is about to come. */
  async function scene(totalMs = usualMs) {
    const at = shopWith(referrers);
    scenes += 1;
    const repository = `${layout}/app-${scenes}`;
    const digest = at.store.seedImage(repository);
    const [other, mine] = [
      await attestationOf(`${at.gate.host}/${repository}`, digest, "other"),
      await attestationOf(`${at.gate.host}/${repository}`, digest),
    ];
    at.gate.fault = () => undefined;
    await storageAt(layout).store(other, signalIn());
    const storage = storageAt(layout, { totalMs });
    const first = at.gate.requests.length;
    return {
      ...{ ...at, mine },
      store: () => attempt(() => storage.store(mine, signalIn())),
      requests: () => at.gate.requests.slice(first),
      /** Requests are numbered from 0. */
      failAt: (fault: Fault, hits: (n: number) => boolean) => {
        at.gate.fault = () => (hits(at.gate.requests.length - first - 1) ? fault : undefined);
      },
      heal: () => {
        at.gate.fault = () => undefined;
      },
      copies: async () => [await copiesOf(mine, at, repository, digest), await copiesOf(other, at, repository, digest)],
    };
  }

  /** How many requests one store takes: each of them is made to fail in its turn. */
  let length = 0;
  beforeAll(async () => {
    const { store, requests } = await scene();
    expect((await store()).stored).toBeDefined();
    length = requests().length;
    expect(length).toBeGreaterThan(5);
  });

  test("without a fault: stored once, by the credentials of the run", async () => {
    const { store, requests, copies } = await scene();
    expect((await store()).stored).toMatchObject({ via: "secret ci/push" });
    expect(requests().length).toBe(length);
    expect(length).toBeLessThan(20);
    expect((await store()).stored?.uris).toHaveLength(1);
    expect(await copies()).toEqual([1, 1]);
  });

  test.each(once)("%j once, at each request in turn: afterwards it is stored once, and nothing of others is lost", async (fault) => {
    const seen = new Set<string>();
    for (let n = 0; n < length; n++) {
      const { store, failAt, heal, copies, requests } = await scene();
      failAt(fault, (request) => request === n);
      const { stored, error, tookMs } = await store();
      expect(tookMs).toBeLessThan(usualMs + 1_000);
      seen.add(stored ? "stored" : (error?.code ?? ""));
      const line = requests()[n];
      heal();
      const again = await store();
      const what = `${fault.kind} at ${line?.method} ${line?.path}: ${error?.message}, then ${again.error?.message}`;
      expect(again.stored?.uris, what).toHaveLength(1);
      const [mine, others] = await copies();
      expect(mine, what).toBe(1);
      // Who is told that there is nothing believes it.
      if (!(fault.kind === "status" && fault.status === 404)) expect(others, what).toBe(1);
    }
    expect([...seen].join()).not.toContain("unknown");
  });

  test.each(lasting)("%j from each request on: an error with a sentence, in time; and once it is over, stored once", async (fault) => {
    const codes = new Set<string>();
    const ends = !["half-open", "slow"].includes(fault.kind);
    for (let n = 0; n < length; n++) {
      const { store, failAt, heal, copies, requests } = await scene(ends ? usualMs : shortMs);
      failAt(fault, (request) => request >= n);
      const { stored, error, tookMs } = await store();
      const line = requests()[n];
      const what = `${fault.kind} from ${line?.method} ${line?.path} on: ${error?.message}`;
      expect(tookMs, what).toBeLessThan((ends ? usualMs : shortMs) + 1_000);
      if (error) codes.add(error.code);
      else expect((await copies())[0], what).toBe(1);
      heal();
      expect((await store()).stored?.uris, what).toHaveLength(1);
      expect((await copies())[0], what).toBe(1);
      if (stored) expect(stored.uris).toHaveLength(1);
    }
    expect([...codes].join()).toMatch(/store\.registry-(unavailable|denied|refused)/);
  });
});
