import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  aTaskRun,
  canary,
  type Fulcio,
  fulcio,
  type KubeApi,
  kubeApi,
  type Misbehaving,
  misbehave,
  type Registry,
  type Rekor,
  registry,
  rekor,
  trustedRoot,
} from "@countersign/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControllerProcess, startController } from "./harness/controller-process.ts";

/**
 * The real controller, keyless, while its token, Fulcio and Rekor are wrong in every way: each gives a sentence with its code, nothing is
 * marked meanwhile, everything is signed once it is well again, and neither a token nor what it says appears anywhere.
 */
let cluster: KubeApi;
let images: Registry;
let ca: Fulcio;
let log: Rekor;
let gates: { readonly ca: Misbehaving; readonly log: Misbehaving };
let controller: ControllerProcess;
let folder: string;
const secrets: string[] = [canary];
const tokenFile = (): string => join(folder, "token");

function putToken(text: string): void {
  // All of it, each part, and what the middle part says.
  for (const part of [text, ...text.split(".")]) if (part.length > 8) secrets.push(part);
  writeFileSync(tokenFile(), `${text}\n`);
}
const claim = "canary-claim-3kF9";
const good = (algorithm: "RS256" | "ES256" = "RS256"): string => {
  const now = Date.now();
  return ca.issuer.token({ sub: `${ca.issuer.url}/controller`, told: claim, jti: `${now}` }, { algorithm });
};

beforeAll(async () => {
  [cluster, images, ca, log] = await Promise.all([kubeApi({ namespaces: ["tekton-chains"] }), registry(), fulcio(), rekor()]);
  gates = { ca: await misbehave(ca.url), log: await misbehave(log.url) };
  secrets.push(claim);
  folder = mkdtempSync(join(tmpdir(), "countersign-keyless-"));
  mkdirSync(join(folder, "keys"));
  const root = trustedRoot({
    certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }],
    ctLogs: ca.ctLogs,
    logs: log.logs,
  });
  cluster.seed({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "chains-config", namespace: "tekton-chains" },
    data: {
      "artifacts.taskrun.storage": "tekton,oci",
      "signers.x509.fulcio.enabled": "true",
      "signers.x509.fulcio.address": gates.ca.url,
      "signers.x509.identity.token.file": tokenFile(),
      "transparency.enabled": "true",
      "transparency.url": gates.log.url,
      "trust.root": root,
    },
  });
  controller = await startController({ cluster, folder });
});
afterAll(async () => {
  controller.child.kill("SIGKILL");
  await Promise.all([cluster.close(), images.close(), gates.ca.close(), gates.log.close(), ca.close(), log.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const mark = (name: string): string | undefined =>
  cluster.peek("taskruns", "default", name)?.metadata.annotations?.["chains.tekton.dev/signed"];
const codesFor = (name: string): readonly string[] =>
  controller
    .log()
    .split("\n")
    .filter((line) => line.includes(`"knative.dev/key":"default/${name}"`))
    .flatMap((line) => [...line.matchAll(/"code":"([^"]+)"/g)].map(([, code]) => code ?? ""));

const rows: readonly (readonly [name: string, code: RegExp, wrong: () => void])[] = [
  ["no-token", /^sign\.token-(missing|unreadable)$/, () => rmSync(tokenFile(), { force: true })],
  ["empty-token", /^sign\.token-/, () => putToken("")],
  ["no-jwt", /^sign\.token-/, () => putToken("canary-token-that-is-no-jwt")],
  ["two-segments", /^sign\.token-/, () => putToken(good().split(".").slice(0, 2).join("."))],
  ["expired", /^sign\.token-expired$/, () => putToken(ca.issuer.token({ sub: `${ca.issuer.url}/x`, told: claim }, { lifeMs: -3_600_000 }))],
  ["nobody", /^sign\./, () => putToken(ca.issuer.token({ sub: "", told: claim }))],
  [
    "unverified",
    /^sign\.identity-unverified$/,
    () => putToken(ca.issuer.token({ email: "a@b.example", email_verified: false, told: claim })),
  ],
  ["ca-401", /^sign\./, () => refuse("ca", 401)],
  ["ca-403", /^sign\.ca-refused$/, () => refuse("ca", 403)],
  ["ca-500", /^sign\.ca-unavailable$/, () => refuse("ca", 500)],
  ["other-key", /^sign\.certificate-unsound$/, () => Object.assign(ca, { mood: "other-key" })],
  ["other-chain", /^sign\.certificate-untrusted$/, () => Object.assign(ca, { mood: "other-chain" })],
  ["foreign-sct", /^sign\.certificate-untrusted$/, () => Object.assign(ca, { mood: "foreign-sct" })],
  ["log-400", /^witness\.log-refused$/, () => refuse("log", 400)],
  ["log-503", /^witness\.log-unavailable$/, () => refuse("log", 503)],
  ["garbage", /^witness\./, () => Object.assign(log, { mood: "garbage" })],
  ["wrong-proof", /^witness\.entry-unsound$/, () => Object.assign(log, { mood: "wrong-proof" })],
  ["other-log", /^witness\.entry-unsound$/, () => Object.assign(log, { mood: "other-log" })],
  ["other-entry", /^witness\.entry-unsound$/, () => Object.assign(log, { mood: "other-entry" })],
];

function refuse(which: "ca" | "log", status: number): void {
  gates[which].fault = ({ method }) => (method === "POST" ? { kind: "status", status } : undefined);
}

/** Another identity each time, so that no certificate of the case before serves this one. */
function well(n: number): void {
  gates.ca.fault = () => undefined;
  gates.log.fault = () => undefined;
  ca.mood = undefined;
  log.mood = undefined;
  putToken(good(n % 2 === 0 ? "RS256" : "ES256"));
}

test("each gives its code, nothing is marked meanwhile, and all are signed at last; no token is told anywhere", async () => {
  for (const [n, [name, code, wrong]] of rows.entries()) {
    well(n);
    putToken(ca.issuer.token({ sub: `${ca.issuer.url}/${name}`, told: claim }));
    wrong();
    const image = images.seedImage(`team/${name}`);
    const run = aTaskRun().named(name).withResult("IMAGE_URL", `${images.host}/team/${name}`).withResult("IMAGE_DIGEST", image);
    cluster.seed(run.object);
    await expect.poll(() => codesFor(name), { timeout: 30_000, message: name }).toContainEqual(expect.stringMatching(code));
    expect([name, mark(name)]).toEqual([name, undefined]);
  }
  well(0);
  for (const [name] of rows) await expect.poll(() => mark(name), { timeout: 60_000, message: name }).toBe("true");
  expect(controller.child.exitCode).toBeNull();

  const { items } = (await (await fetch(`${cluster.url}/api/v1/namespaces/default/events`)).json()) as { items: object[] };
  const runs = rows.map(([name]) => cluster.peek("taskruns", "default", name)?.metadata);
  const told = [controller.log(), JSON.stringify(items), JSON.stringify(runs), await controller.metrics()].join("\n");
  expect(items.length).toBeGreaterThan(0);
  for (const secret of secrets) expect(told.includes(secret), `${secret.slice(0, 12)}… is told`).toBe(false);
}, 300_000);
