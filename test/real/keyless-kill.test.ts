import { createHash, createPublicKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, sha256 } from "@countersign/bundle";
import type { TrustedKey } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { type Attached, ociStorage } from "@countersign/storage-oci";
import { type Misbehaving, misbehave, type ProxiedRequest, rekorTiles, timestampAuthority, trustedRoot } from "@countersign/testing";
import { type Policy, type TrustMaterial, trustedRootFrom, verify } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "./harness/child.ts";
import {
  type Fulcio,
  type Registry,
  request,
  startDockerRegistry,
  startFulcio,
  startRekor,
  startTrillian,
  tempFolder,
} from "./harness/index.ts";
import { writeKubeconfig } from "./harness/kubeconfig.ts";
import type { Trillian } from "./harness/sigstore.ts";
import { built, pushImage, type System, startSystem } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * SIGKILL between any two words of controller, Fulcio, log, registry and API server; the next life takes up what the last one left. At the
 * end every statement lies there once, with its proof, and the log has it once, also where it cannot be searched and a new key signs in each life.
 *
 * Rekor v1 is Sigstore's own, without a search index. Rekor v2 is packages/testing's, in this process, which nobody kills: the real one takes a
 * second for each entry.
 */
const lives = 20;
const wire: Http = http({ env: {} });
const signal = AbortSignal.timeout(900_000);
const namespace = "tekton-chains";

let system: System;
let registry: Registry;
let trillian: Trillian;
let fulcio: Fulcio;
let api: Misbehaving;
let images: Misbehaving;
let ca: Misbehaving;
let kubeconfig: string;
let tokenFile: string;
let controller: Server | undefined;

type Phase = "before" | "after";
type Where = (passage: ProxiedRequest, phase: Phase) => boolean;
/** Where the controller dies; set by a test, cleared by the kill. */
let killAt: Where | undefined;
let killed: Promise<void> | undefined;
function strikes(request: ProxiedRequest, phase: Phase): boolean {
  if (!killAt?.(request, phase)) return false;
  killAt = undefined;
  killed = die();
  return true;
}
async function die(): Promise<void> {
  await controller?.stop();
  controller = undefined;
}
/** Before: the server never hears of the request. After: it has done it, and nobody is left to hear the answer. */
async function guarded(target: string, targetCa?: string): Promise<Misbehaving> {
  const gate = await misbehave(target, targetCa ? { targetCa } : {});
  gate.fault = (request) => (strikes(request, "before") ? { kind: "half-open" } : undefined);
  gate.answered = async (request) => {
    if (strikes(request, "after")) await killed;
  };
  return gate;
}

beforeAll(async () => {
  [system, registry, trillian] = await Promise.all([startSystem(), startDockerRegistry(), startTrillian()]);
  await system.api.kubectl([
    ...["create", "clusterrolebinding", "issuer-discovery"],
    ...["--clusterrole=system:service-account-issuer-discovery", "--group=system:unauthenticated"],
  ]);
  fulcio = await startFulcio({ issuers: [{ url: system.api.url, type: "kubernetes", ca: system.api.ca }], trillian });
  [api, images, ca] = await Promise.all([guarded(system.api.url, system.api.ca), guarded(registry.url), guarded(fulcio.url)]);
  const token = await system.api.serviceAccountToken(namespace, "tekton-chains-controller", "--duration=8h");
  kubeconfig = writeKubeconfig(`${system.api.folder}/gate.kubeconfig`, { url: api.url, token, namespace });
  tokenFile = `${tempFolder("oidc")}/oidc-token`;
  writeFileSync(
    tokenFile,
    await system.api.serviceAccountToken(namespace, "tekton-chains-controller", "--audience=sigstore", "--duration=1h"),
  );
});
afterAll(async () => {
  await die();
  await Promise.all([api, images, ca].map((gate) => gate?.close()));
  await wire.close();
  await Promise.all([system, registry, fulcio, trillian].map((server) => server?.stop()));
});

const isLogged = ({ method, path }: ProxiedRequest): boolean => method === "POST" && /^\/api\/v[12]\/log\/entries$/.test(path);
const isCertificate = ({ method, path }: ProxiedRequest): boolean => method === "POST" && path.endsWith("/signingCert");
const isWrite = ({ method, path }: ProxiedRequest): boolean => path.startsWith("/v2/") && method !== "GET" && method !== "HEAD";
const isManifest = ({ method, path }: ProxiedRequest): boolean => method === "PUT" && path.includes("/manifests/");
const isApply = ({ method, path }: ProxiedRequest): boolean =>
  method === "PATCH" && path.includes("fieldManager=tekton-chains-controller&");
function nth(n: number, phase: Phase, fits: (passage: ProxiedRequest) => boolean): Where {
  let seen = 0;
  return (passage, at) => at === phase && fits(passage) && ++seen === n;
}
/** One life each, and as many again end at a random moment. */
const points = (keyless: boolean): readonly (() => Where)[] => [
  () => nth(1, "after", isLogged),
  () => nth(1, "before", isLogged),
  () => nth(2, "after", isLogged),
  () => nth(2, "after", isLogged),
  () => nth(1, "after", isWrite),
  () => nth(3, "after", isWrite),
  () => nth(1, "before", isManifest),
  () => nth(1, "after", isManifest),
  () => nth(2, "after", isManifest),
  () => nth(1, "before", isApply),
  () => nth(1, "after", isApply),
  // Without a certificate the first apply is the last: there are no drafts.
  ...(keyless ? [() => nth(2, "before", isApply), () => nth(2, "after", isApply)] : []),
  ...(keyless ? [() => nth(1, "before", isCertificate), () => nth(1, "after", isCertificate)] : []),
];

interface Statement {
  readonly run: string;
  /** Of the payload: sha256, hex. */
  readonly digest: string;
  /** What the log calls it by: v1 by its payload, v2 by the bytes that were signed. */
  readonly logged: string;
  readonly attached: readonly Attached[];
}

interface Scene {
  readonly version: "v1" | "v2";
  readonly log: Log;
  readonly trust: TrustMaterial;
  readonly policy: Policy;
  close(): Promise<void>;
}
interface Circumstances {
  readonly keyless: boolean;
  readonly version: "v1" | "v2";
}
interface Log {
  readonly url: string;
  readonly logs: readonly TrustedKey[];
  /** Of all its entries. */
  bodies(): Promise<readonly string[]>;
  close(): Promise<unknown>;
}
async function rekorV1(): Promise<Log> {
  const { url, publicKey, stop } = await startRekor({ trillian });
  const bodiesAt = async (logIndexes: readonly number[]): Promise<readonly string[]> => {
    const answer = await request(`${url}/api/v1/log/entries/retrieve`, { method: "POST", body: JSON.stringify({ logIndexes }) });
    const entries = answer.json() as readonly Readonly<Record<string, { readonly body: string }>>[];
    return entries.flatMap((entry) => Object.values(entry).map(({ body }) => Buffer.from(body, "base64").toString()));
  };
  return {
    ...{ url, close: stop, logs: [{ keyId: keyIdOf(publicKey), publicKey, url }] },
    async bodies() {
      const { treeSize } = (await request(`${url}/api/v1/log`)).json() as { treeSize: number };
      const indexes = Array.from({ length: treeSize }, (_, index) => index);
      const all: string[] = [];
      for (let at = 0; at < treeSize; at += 10) all.push(...(await bodiesAt(indexes.slice(at, at + 10))));
      return all;
    },
  };
}
async function rekorV2(): Promise<Log> {
  const tiles = await rekorTiles();
  return { ...{ url: tiles.url, logs: tiles.logs, close: tiles.close }, bodies: async () => tiles.entries.map(({ body }) => body) };
}

/** A log of its own that cannot be searched, and the controller's configuration for it. */
async function setTheScene({ keyless, version }: Circumstances): Promise<Scene> {
  const log = await (version === "v1" ? rekorV1() : rekorV2());
  const clock = await timestampAuthority();
  const gate = await guarded(log.url);
  const ctLog = fulcio.ctLog && { keyId: keyIdOf(fulcio.ctLog.publicKey), publicKey: fulcio.ctLog.publicKey, url: fulcio.ctLog.url };
  const root = trustedRoot({
    certificateAuthorities: [{ url: fulcio.url, certificates: [fulcio.chain] }],
    ctLogs: ctLog ? [ctLog] : [],
    timestampAuthorities: [clock.authority],
    logs: log.logs,
  });
  await system.configure({
    ...{ "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "tekton,oci" },
    ...{ "transparency.enabled": "true", "transparency.url": gate.url, "trust.root": root },
    ...(version === "v2" && {
      ...{ "transparency.version": "v2", "transparency.tsa.url": clock.url },
      // A run would keep an image's signature in its other form, which is another entry.
      ...{ "storage.oci.encoding-format": "sigstore-bundle", "artifacts.oci.storage": "oci" },
    }),
    ...(keyless && {
      "signers.x509.fulcio.enabled": "true",
      "signers.x509.fulcio.address": ca.url,
      "signers.x509.identity.token.file": tokenFile,
    }),
  });
  const certificateIdentity = `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/tekton-chains-controller`;
  return {
    ...{ version, log },
    trust: { publicKeys: keyless ? [] : [system.publicKey], sigstore: trustedRootFrom(root) },
    policy: keyless ? { identity: { certificateIdentity, oidcIssuer: system.api.url } } : {},
    async close() {
      await die();
      await Promise.all([gate, log, clock].map((server) => server.close()));
    },
  };
}

interface Made {
  readonly name: string;
  readonly image: string;
}
async function newRun(name: string): Promise<Made> {
  const image = (await pushImage(registry, `team/${name}`, name)).replace(registry.host, images.host);
  await system.put({ kind: "taskrun", name, status: built(image) });
  return { name, image };
}
const marksOf = (name: string): Promise<Readonly<Record<string, string>>> => system.annotations("taskrun", name);
const isSigned = (name: string): Promise<void> =>
  expect.poll(async () => (await marksOf(name))["chains.tekton.dev/signed"], { timeout: 60_000 }).toBe("true");

const shelf = ociStorage({ http: wire, credentials: async () => [] });
async function statementsOf({ name, image }: Made, { version }: Scene): Promise<readonly Statement[]> {
  const attached = await shelf.discover(image.replace(images.host, registry.host), { signal });
  return [...Map.groupBy(attached, ({ found }) => found.digest)].map(([digest, same]) => {
    const [{ envelope, payloadType: mediaType, payload: body } = {}] = same;
    const signed = envelope && mediaType && body ? sha256(messageOf({ format: "", subjects: [], envelope, mediaType, body })) : digest;
    return { run: name, digest, logged: version === "v1" ? digest : signed, attached: same };
  });
}

/** Lives until it strikes where it is told to. */
async function liveUntil(where: Where): Promise<void> {
  killed = undefined;
  killAt = where;
  controller = await system.controller({ kubeconfig });
  await expect.poll(() => killed !== undefined, { timeout: 20_000, interval: 10 }).toBe(true);
  await killed;
}

describe.each<Circumstances & { readonly title: string }>([
  { title: "a held key", keyless: false, version: "v1" },
  { title: "keyless", keyless: true, version: "v1" },
  { title: "keyless, with timestamps and Rekor v2", keyless: true, version: "v2" },
])("$title", ({ title, keyless, version }) => {
  const stem = `${keyless ? "keyless" : "key"}-${version}`;
  const made: Made[] = [];
  const provenAt = new Set<string>();
  let scene: Scene;
  beforeAll(async () => {
    scene = await setTheScene({ keyless, version });
  });
  afterAll(() => scene?.close());

  const isProven = ({ attached }: Statement): boolean =>
    attached.every(({ found, payload, digest }) => verify(found, payload, scene.trust, { ...scene.policy, subject: digest }).accepted);

  /** A run that says it is signed has both statements stored, and each verifies with the log's word. */
  async function assertNoneTooEarly(): Promise<void> {
    for (const one of made) {
      if (provenAt.has(one.name) || (await marksOf(one.name))["chains.tekton.dev/signed"] === undefined) continue;
      const statements = await statementsOf(one, scene);
      expect([one.name, statements.map(isProven)]).toEqual([one.name, [true, true]]);
      provenAt.add(one.name);
    }
  }
  /** What the log keeps of a statement, by what it calls it. */
  async function entriesByStatement(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const body of await scene.log.bodies()) {
      const { kind, spec } = JSON.parse(body) as {
        kind: string;
        spec: { payloadHash?: { value: string }; data?: { hash: { value: string } }; hashedRekordV002?: { data: { digest: string } } };
      };
      const v2 = spec.hashedRekordV002 && Buffer.from(spec.hashedRekordV002.data.digest, "base64").toString("hex");
      const digest = v2 ?? (kind === "dsse" ? spec.payloadHash?.value : spec.data?.hash.value) ?? "";
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
    return counts;
  }
  /** Statements that this life had logged and did not live to store anywhere. */
  async function leftInTheLog(before: ReadonlyMap<string, number>): Promise<number> {
    const mine = [...(await entriesByStatement())].filter(([digest, count]) => count > (before.get(digest) ?? 0)).map(([digest]) => digest);
    if (mine.length === 0) return 0;
    const open = made.filter(({ name }) => !provenAt.has(name));
    const stored = new Set((await Promise.all(open.map((one) => statementsOf(one, scene)))).flat().map(({ logged }) => logged));
    return mine.filter((digest) => !stored.has(digest)).length;
  }

  test(`${lives} lives`, async () => {
    let inTheGap = 0;
    const named = points(keyless);
    for (let life = 0; life < lives; life++) {
      made.push(await newRun(`${stem}-${life}`));
      const before = await entriesByStatement();
      const point = named[life];
      if (point) await liveUntil(point());
      else {
        controller = await system.controller({ kubeconfig });
        await sleep(20 + Math.random() * 300);
        await die();
      }
      await sleep(250); // what was on its way to the log arrives without its sender
      inTheGap += await leftInTheLog(before);
      await assertNoneTooEarly();
    }

    controller = await system.controller({ kubeconfig });
    for (const { name } of made) await isSigned(name);
    await assertNoneTooEarly();
    await die();

    const statements = (await Promise.all(made.map((one) => statementsOf(one, scene)))).flat();
    expect(statements).toHaveLength(2 * lives);
    expect(statements.filter(({ attached }) => attached.length !== 1)).toEqual([]);
    for (const { name } of made) expect((await marksOf(name))["chains.tekton.dev/retries"]).toBeUndefined();
    const counts = await entriesByStatement();
    expect([...counts.keys()].sort()).toEqual(statements.map(({ logged }) => logged).sort());
    const extras = [...counts.values()].reduce((sum, count) => sum + count - 1, 0);
    console.log(
      `${title}: ${lives} lives, ${inTheGap} times a statement was logged and not stored when death came, ${extras} entries too many`,
    );
    expect(inTheGap).toBeGreaterThan(0);
    expect(extras).toBe(0);
    const drafts = await Promise.all(made.map(async ({ name }) => (await marksOf(name))["chains.tekton.dev/drafts"]));
    expect(drafts.filter((left) => left !== undefined)).toEqual([]);
  }, 400_000);
});

function keyIdOf(pem: string): string {
  return createHash("sha256")
    .update(createPublicKey(pem).export({ type: "spki", format: "der" }))
    .digest("base64");
}
