import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fulcio, fulcio, type Registry, type Rekor, registry, rekor, trustedRoot } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TufMirror, tufMirror } from "../../packages/verify/src/tuf-mirror.fixture.ts";
import { countersign } from "../real/harness/countersign.ts";

/** From the TUF repository of a private Sigstore to the verdict over an image that was signed keyless: nothing but the command line. */
const folder = mkdtempSync(join(tmpdir(), "countersign-trust-"));
const path = (name: string): string => join(folder, name);
const somebody = "https://example.test/somebody";
let [ca, log, images]: [Fulcio, Rekor, Registry] = [] as never;
let mirror: TufMirror;
let image = "";

beforeAll(async () => {
  [ca, log, images] = await Promise.all([fulcio(), rekor(), registry()]);
  const authorities = [{ url: ca.url, certificates: ca.certificates }];
  mirror = await tufMirror(trustedRoot({ certificateAuthorities: authorities, ctLogs: ca.ctLogs, logs: log.logs }));
  writeFileSync(path("root.json"), mirror.root);
  writeFileSync(path("token"), ca.issuer.token());
  const digest = images.seedImage("app", "1.0");
  image = `${images.host}/app@${digest}`;
  const results = [
    { name: "IMAGE_URL", type: "string", value: `${images.host}/app` },
    { name: "IMAGE_DIGEST", type: "string", value: digest },
  ];
  const status = {
    conditions: [{ type: "Succeeded", status: "True" }],
    startTime: "2026-01-01T00:00:00Z",
    completionTime: "2026-01-01T00:01:00Z",
    results,
  };
  const metadata = { name: "build", namespace: "ci", uid: "8e1c1b2e-0000-4000-8000-000000000001" };
  writeFileSync(path("run.json"), JSON.stringify({ apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata, spec: {}, status }));
  const settings = {
    "artifacts.taskrun.storage": "oci",
    "artifacts.taskrun.format": "slsa/v2alpha4",
    "storage.oci.encoding-format": "both",
    "signers.x509.fulcio.enabled": "true",
    "signers.x509.fulcio.address": ca.url,
    "signers.x509.identity.token.file": path("token"),
    "signers.x509.tuf.mirror.url": mirror.url,
    "transparency.enabled": "true",
    "transparency.url": log.url,
  };
  const args = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  expect(await countersign(["attest", path("run.json"), ...args])).toMatchObject({ code: 0, stderr: "" });
});
afterAll(async () => {
  await Promise.all([ca?.close(), log?.close(), images?.close(), mirror?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const whom = (): readonly string[] => ["--certificate-identity", somebody, "--certificate-oidc-issuer", ca.issuer.url];
const verify = (args: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof countersign> =>
  countersign(["verify", "image", image, ...whom(), ...args], env);

describe("a private TUF repository", () => {
  test("signing asked it for the trust root before it believed Fulcio and Rekor", () => {
    expect(mirror.seen).toContain("/timestamp.json");
  });

  test("verifying too; what was fetched is kept, verified again, and worth nothing by itself", async () => {
    const env = { XDG_CACHE_HOME: path("cache") };
    const args = ["--tuf-mirror", mirror.url, "--tuf-root", path("root.json")];
    const { code, stdout, stderr } = await verify(args, env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/^accepted/gm)).toHaveLength(4);
    const shelf = join(folder, "cache/countersign/tuf", readdirSync(join(folder, "cache/countersign/tuf"))[0] ?? "");
    writeFileSync(join(shelf, "targets/trusted_root.json"), trustedRoot({}));
    writeFileSync(join(shelf, "timestamp.json"), "{}");
    expect((await verify(args, env)).code).toBe(0);
    expect((await verify(["--tuf-mirror", mirror.url], env)).code).toBe(0);
  });

  test("the root of another repository is no beginning for this one", async () => {
    const other = await tufMirror(trustedRoot({}));
    writeFileSync(path("other-root.json"), other.root);
    await other.close();
    const { code, stderr } = await verify(["--tuf-mirror", mirror.url, "--tuf-root", path("other-root.json")]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(`the trust root of ${mirror.url} is refused`) });
  });

  test("a repository that trusts somebody else: refused, with every check that failed", async () => {
    const strangers = await fulcio();
    const authorities = [{ url: strangers.url, certificates: strangers.certificates }];
    const other = await tufMirror(trustedRoot({ certificateAuthorities: authorities, ctLogs: strangers.ctLogs }));
    const { code, stdout } = await verify(["--tuf-mirror", other.url]);
    await Promise.all([other.close(), strangers.close()]);
    expect(code).toBe(1);
    expect(stdout.match(/^ +log-entry: /gm)).toHaveLength(4);
    expect(stdout.match(/^ +certificate: /gm)).toHaveLength(4);
  });
});

test("offline, the registry alone is spoken to", async () => {
  writeFileSync(
    path("trusted_root.json"),
    trustedRoot({ certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }], ctLogs: ca.ctLogs, logs: log.logs }),
  );
  const { connect } = Socket.prototype;
  const ports = new Set<unknown>();
  Socket.prototype.connect = function trapped(this: Socket, ...args: unknown[]) {
    const [first] = (Array.isArray(args[0]) ? args[0] : args) as readonly { port?: unknown }[];
    ports.add(String(first?.port));
    return (connect as (...all: unknown[]) => Socket).apply(this, args);
  } as typeof connect;
  try {
    expect((await verify(["--trusted-root", path("trusted_root.json"), "--offline"])).code).toBe(0);
    expect(await verify(["--offline"])).toMatchObject({ code: 3, stderr: expect.stringContaining("give --trusted-root") });
  } finally {
    Socket.prototype.connect = connect;
  }
  expect([...ports]).toEqual([images.host.split(":")[1]]);
});
