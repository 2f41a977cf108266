import { Socket } from "node:net";
import { rekor, trustedRoot } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Keyless, keyless, somebody } from "./keyless.fixture.ts";
import type { Answer } from "./session.fixture.ts";

let world: Keyless;
/** In tags, in bundles, and unlogged. */
let [bundled, unlogged]: [Keyless, Keyless] = [] as never;
beforeAll(async () => {
  [world, bundled, unlogged] = await Promise.all([keyless(), keyless(), keyless()]);
  await world.attest("transparency.enabled=true");
  await bundled.attest("transparency.enabled=true", "storage.oci.encoding-format=sigstore-bundle");
  await unlogged.attest();
}, 30_000);
afterAll(async () => {
  for (const one of [world, bundled, unlogged]) await one?.[Symbol.asyncDispose]();
});

const verify = ({ person, image }: Keyless, ...args: readonly string[]): Promise<Answer> => person.run(["verify", "image", image, ...args]);
const trusting = (one: Keyless): readonly string[] => [...one.whom, "--trusted-root", one.root, "--offline"];

test("image signature and attestation verify offline in both layouts, with who, when and where it is logged", async () => {
  for (const one of [world, bundled]) {
    const { code, out, err } = await verify(one, ...trusting(one));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.match(/^accepted/gm)).toHaveLength(2);
    expect(out).toContain(`signer  ${somebody}, as ${one.ca.issuer.url} says`);
    expect(out).toMatch(/log {2}entry \d+ of 20/);
    const json = JSON.parse((await verify(one, ...trusting(one), "--type", "slsaprovenance1", "-o", "json")).out);
    expect(json.checked).toHaveLength(1);
    expect(json.checked[0]).toMatchObject({
      what: "https://slsa.dev/provenance/v1",
      certificate: { identities: [somebody], issuer: one.ca.issuer.url },
      log: [{ index: expect.stringMatching(/^\d+$/), time: expect.stringMatching(/^20.*Z$/) }],
    });
    expect(json.code).toBeUndefined();
  }
});

describe.each([
  ["tags", () => world, 12],
  ["bundles", () => bundled, 1],
] as const)("in %s", (_, of, no) => {
  test.each([
    [
      "another identity",
      () => ["--certificate-identity", "https://example.test/nobody", "--certificate-oidc-issuer-regexp", ".", "--trusted-root", of().root],
      "identity",
    ],
    [
      "another issuer",
      () => ["--certificate-identity-regexp", "somebody$", "--certificate-oidc-issuer", "https://other", "--trusted-root", of().root],
      "identity",
    ],
    ["the trust root of others", () => [...of().whom, "--trusted-root", unlogged.root], "certificate"],
  ])("%s is refused", async (_, args, check) => {
    const { code, out } = await verify(of(), ...args(), "--offline");
    expect(code).toBe(no);
    expect(out).toMatch(new RegExp(`^ +${check}: `, "m"));
    expect((await verify(of(), ...args(), "--offline", "--type", "slsaprovenance1")).code).toBe(1);
  });

  test("the key of another log is refused, and who ignores logs takes no notice", async () => {
    const other = await rekor();
    const { ca, person, whom } = of();
    const authorities = [{ url: ca.url, certificates: ca.certificates }];
    const root = person.write("other.json", trustedRoot({ certificateAuthorities: authorities, ctLogs: ca.ctLogs, logs: other.logs }));
    await other.close();
    const args = [...whom, "--trusted-root", root, "--offline"];
    expect(await verify(of(), ...args)).toMatchObject({ code: no, out: expect.stringContaining("log-entry: ") });
    expect((await verify(of(), ...args, "--insecure-ignore-tlog")).code).toBe(0);
  });

  test("without the CT log's key it is refused, unless that is ignored", async () => {
    const { ca, log, person, whom } = of();
    const authorities = [{ url: ca.url, certificates: ca.certificates }];
    const root = person.write("no-ct.json", trustedRoot({ certificateAuthorities: authorities, logs: log.logs }));
    const args = [...whom, "--trusted-root", root, "--offline"];
    expect(await verify(of(), ...args)).toMatchObject({ code: no, out: expect.stringContaining("certificate-transparency log") });
    expect((await verify(of(), ...args, "--insecure-ignore-sct")).code).toBe(0);
  });

  test("cosign's variables stand for the trust root", async () => {
    const { ca, log, person, whom } = of();
    const env = {
      DOCKER_CONFIG: person.folder,
      SIGSTORE_ROOT_FILE: person.write("roots.pem", ca.certificates.join("")),
      SIGSTORE_REKOR_PUBLIC_KEY: person.write("rekor.pub", log.publicKey),
      SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: person.write("ct.pub", ca.ctLogs.map(({ publicKey }) => publicKey).join("")),
    };
    const run = (more: Readonly<Record<string, string>>) =>
      person.run(["verify", "image", of().image, ...whom, "--offline"], { env: { ...env, ...more } });
    expect((await run({})).code).toBe(0);
    expect((await run({ SIGSTORE_REKOR_PUBLIC_KEY: env.SIGSTORE_CT_LOG_PUBLIC_KEY_FILE })).code).toBe(no);
    expect(await run({ SIGSTORE_ROOT_FILE: env.SIGSTORE_REKOR_PUBLIC_KEY })).toMatchObject({
      code: 3,
      err: expect.stringContaining('(SIGSTORE_ROOT_FILE): this holds a "PUBLIC KEY"'),
    });
    expect((await run({ SIGSTORE_ROOT_FILE: "" })).err).toContain("--offline needs to be told whom to believe");
  });

  test("a key is no certificate", async () => {
    const { image, digest } = of();
    expect(await verify(of(), "--key", of().key().file)).toMatchObject({
      code: no,
      out: expect.stringContaining("signature: "),
    });
    expect(image).toContain(digest);
  });
});

test("an image signed with a key has no certificate: 13", async () => {
  await using one = await keyless();
  const { folder, file } = one.key();
  const settings = ["-c", "artifacts.taskrun.storage=oci"];
  await one.person.run(["attest", one.person.path("run.yaml"), "--signing-secrets", folder, ...settings]);
  expect(await verify(one, ...trusting(one))).toMatchObject({ code: 13, out: expect.stringContaining("certificate: no certificate came") });
  const key = ["--key", file];
  expect((await verify(one, ...key)).code).toBe(0);
  // a trust root beside the key asks for the log
  expect(await verify(one, ...key, "--trusted-root", one.root, "--offline")).toMatchObject({
    code: 12,
    out: expect.stringContaining("log-entry: "),
  });
  expect((await verify(one, ...key, "--trusted-root", one.root, "--insecure-ignore-tlog")).code).toBe(0);
});

describe("where a proof is missing", () => {
  test("offline: refused; where logs are ignored, the certificate must be good today", async () => {
    expect(await verify(unlogged, ...trusting(unlogged))).toMatchObject({
      code: 12,
      out: expect.stringContaining("there is no entry of a transparency log"),
    });
    expect((await verify(unlogged, ...trusting(unlogged), "--insecure-ignore-tlog")).code).toBe(0);
  });

  test("online: the log is asked, and what it answers is judged", async () => {
    const { log, whom, root } = unlogged;
    const online = [...whom, "--trusted-root", root];
    const before = log.seen.length;
    expect((await verify(unlogged, ...online)).code).toBe(12);
    expect(log.seen.slice(before).map(({ path }) => path)).toContain("/api/v1/log/entries/retrieve");
    // the same payloads, logged elsewhere: now the log knows them
    const copy = await keyless();
    await copy.attest("transparency.enabled=true");
    await stripEvidence(copy);
    expect((await verify(copy, ...trusting(copy))).code).toBe(12);
    const found = await verify(copy, ...copy.whom, "--trusted-root", copy.root);
    expect(found).toMatchObject({ code: 0, err: "" });
    expect(found.out).toMatch(/log {2}entry \d+/);
    expect((await verify(copy, ...copy.whom, "--trusted-root", copy.root, "--rekor-url", `${copy.log.url}/`)).code).toBe(0);
    // a log that cannot be asked is not: Rekor v2
    const { ca, log: known } = copy;
    const second = { keyId: Buffer.alloc(32, 7).toString("base64"), publicKey: known.publicKey, url: "http://127.0.0.1:1" };
    const parts = {
      certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }],
      ctLogs: ca.ctLogs,
      logs: [second, ...known.logs],
    };
    const both = copy.person.write("both.json", trustedRoot(parts));
    expect((await verify(copy, ...copy.whom, "--trusted-root", both)).code).toBe(0);
    await copy.log.close();
    expect(await verify(copy, ...copy.whom, "--trusted-root", copy.root)).toMatchObject({
      code: 3,
      err: expect.stringContaining("/api/v1/log/entries/retrieve"),
    });
    await copy[Symbol.asyncDispose]();
  });

  /** Takes the log's word out of the tags, as Tekton Chains leaves it out of signatures. */
  async function stripEvidence({ images, digest }: Keyless): Promise<void> {
    for (const suffix of ["sig", "att"]) {
      const tag = `${digest.replace(":", "-")}.${suffix}`;
      const stored = images.manifest("app", tag);
      const manifest = JSON.parse(Buffer.from(stored?.bytes ?? []).toString());
      for (const layer of manifest.layers) delete layer.annotations["dev.sigstore.cosign/bundle"];
      const headers = { "content-type": stored?.mediaType ?? "" };
      const { status } = await fetch(`${images.url}/v2/app/manifests/${tag}`, { method: "PUT", body: JSON.stringify(manifest), headers });
      expect(status).toBe(201);
    }
  }
});

test("a run in a file: keyless, offline by what it carries, online where it carries no word of the log", async () => {
  await using one = await keyless();
  const settings = ["transparency.enabled=true", "artifacts.taskrun.storage=tekton", "artifacts.oci.storage=tekton"];
  await one.attest(...settings);
  const args = ["verify", "run", one.person.path("run.yaml"), ...one.whom, "--trusted-root", one.root];
  const offline = await one.person.run([...args, "--offline"]);
  expect(offline).toMatchObject({ code: 0, err: "" });
  expect(offline.out.match(/^accepted/gm)).toHaveLength(2);
  one.person.write("run.yaml", one.person.read("run.yaml").replace(/^ +chains\.tekton\.dev\/evidence-.*\n/gm, ""));
  expect(await one.person.run([...args, "--offline"])).toMatchObject({
    code: 1,
    out: expect.stringContaining("no entry of a transparency log"),
  });
  const online = await one.person.run(args);
  expect(online).toMatchObject({ code: 0, err: "" });
  expect(online.out.match(/log {2}entry \d+ of/g)).toHaveLength(2);
  const other = await one.person.run([...args, "--certificate-identity", "https://example.test/nobody"]);
  expect(other).toMatchObject({ code: 1, out: expect.stringContaining("identity: ") });
});

describe("the command line", () => {
  test("switches may be written as cosign's are", async () => {
    const trust = [...unlogged.whom, `--trusted-root=${unlogged.root}`, "--offline=true"];
    expect((await verify(unlogged, ...trust, "--insecure-ignore-tlog=true")).code).toBe(0);
    expect((await verify(unlogged, ...trust, "--insecure-ignore-tlog=false")).code).toBe(12);
    expect((await verify(unlogged, ...trust, "--insecure-ignore-tlog=perhaps")).code).toBe(2);
  });

  test.each([
    [[], "say whom to believe"],
    [["--certificate-identity", "x"], "--certificate-oidc-issuer is missing"],
    [["--certificate-oidc-issuer", "x"], "--certificate-identity is missing"],
    [["--certificate-identity-regexp", "(", "--certificate-oidc-issuer", "x"], "no regular expression"],
    [["--key", "x", "--offline", "--rekor-url", "http://x"], "exclude each other"],
    [["--key", "x", "--offline", "--tuf-mirror", "http://x"], "exclude each other"],
    [["--key", "x", "--trusted-root", "y", "--tuf-mirror", "http://x"], "exclude each other"],
  ])("%j: usage", async (args, sentence) => {
    const { code, err } = await verify(world, ...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(sentence) });
  });

  test("a trust root that is none, or not there, is named", async () => {
    const { person, whom } = world;
    const nothing = await verify(world, ...whom, "--trusted-root", person.path("none.json"));
    expect(nothing).toMatchObject({ code: 3, err: expect.stringContaining("none.json cannot be read") });
    const odd = await verify(world, ...whom, "--trusted-root", person.path("run.yaml"));
    expect(odd).toMatchObject({ code: 3, err: expect.stringContaining("run.yaml: this is no trusted root") });
  });

  test("a TUF repository that does not answer is said to be so, with the way round it", async () => {
    const { err, code } = await verify(world, ...world.whom, "--tuf-mirror", "http://127.0.0.1:1");
    expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining("the trust root could not be fetched from http://127.0.0.1:1") });
  });
});

test("with a key alone no socket is opened but to the registry, and for a run none at all", async () => {
  await using one = await keyless();
  const { folder, file } = one.key();
  const settings = ["-c", "artifacts.oci.storage="];
  await one.person.run(["attest", one.person.path("run.yaml"), "--signing-secrets", folder, ...settings, "--write"]);
  const { connect } = Socket.prototype;
  let opened = 0;
  Socket.prototype.connect = function trapped(this: Socket) {
    opened += 1;
    throw new Error("a socket was opened");
  } as typeof connect;
  try {
    const run = ["verify", "run", one.person.path("run.yaml"), "--key", file];
    expect(await one.person.run(run)).toMatchObject({ code: 0, err: "" });
    expect((await one.person.run([...run, "--offline"])).code).toBe(0);
    expect((await one.person.run([...run, "--offline", "--trusted-root", one.root])).code).toBe(1);
    expect(await one.person.run([...run.slice(0, 3), ...one.whom, "--offline", "--trusted-root", one.root])).toMatchObject({
      code: 1,
      out: expect.stringContaining("no certificate came"),
    });
    expect(opened).toBe(0);
  } finally {
    Socket.prototype.connect = connect;
  }
});
