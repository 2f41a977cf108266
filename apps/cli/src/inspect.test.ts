import { readFileSync } from "node:fs";
import { hintOf } from "@countersign/in-toto-attestation";
import { canary, misbehave } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Keyless, keyless, somebody } from "./keyless.fixture.ts";
import { taskRunYaml } from "./session.fixture.ts";

let world: Keyless;
beforeAll(async () => {
  world = await keyless();
  await world.attest("transparency.enabled=true", "storage.oci.encoding-format=both");
  const settings = ["-c", "artifacts.taskrun.storage=oci"];
  await world.person.run(["attest", world.person.path("run.yaml"), "--signing-secrets", world.key().folder, ...settings]);
}, 30_000);
afterAll(() => world?.[Symbol.asyncDispose]());

test("a tree of both layouts: what, whose, when it was logged, how big", async () => {
  const { code, out, err } = await world.person.run(["inspect", world.image]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const hex = world.digest.replace("sha256:", "");
  expect(out.split("\n").slice(0, 5).join("\n")).toMatch(
    new RegExp(
      `^${world.image}\n├── tag sha256-${hex}.sig\n│   ├── image signature  \\d+ B\n│   │   ├── signer  ${somebody}, as http://127[0-9.:]+ says\n│   │   └── log  entry \\d+ of 20`,
    ),
  );
  expect(out.match(/tag sha256-/g)).toHaveLength(2);
  expect(out.match(/[├└]── referrer sha256:[0-9a-f]{64}\n/g)).toHaveLength(2);
  expect(out.match(/── image signature/g)).toHaveLength(3);
  expect(out.match(/── https:\/\/slsa\.dev\/provenance\/v1 {2}\d+\.\d kB/g)).toHaveLength(2);
  expect(out).toMatch(/signer {2}the key SHA256:[A-Za-z0-9+/]{43}$/m);
  expect(out).toContain("signer  a key that is not named");
  expect(out).toContain("└── builder  https://tekton.dev/chains/v2");
  expect(out.trimEnd().split("\n").at(-1)).toMatch(/^not verified: /);
});

test("a bundle without certificate and log entry names its key by a hint", async () => {
  const { person, images } = world;
  person.write("hinted.yaml", taskRunYaml(`${images.host}/hinted`, images.seedImage("hinted", "1.0")));
  const settings = ["-c", "artifacts.taskrun.storage=oci", "-c", "storage.oci.encoding-format=sigstore-bundle"];
  const { folder, file } = world.key();
  await person.run(["attest", person.path("hinted.yaml"), "--write", "--signing-secrets", folder, ...settings]);
  const { out } = await person.run(["inspect", `${images.host}/hinted:1.0`]);
  expect(out).toContain(`signer  the key with the hint ${hintOf(readFileSync(file, "utf8"))}\n`);
});

test("JSON has a stable shape", async () => {
  const value = JSON.parse((await world.person.run(["inspect", `${world.images.host}/app:1.0`, "-o", "json"])).out);
  expect(value).toMatchObject({
    image: `${world.images.host}/app:1.0@${world.digest}`,
    resolvedFrom: `${world.images.host}/app:1.0`,
    verified: false,
  });
  expect(value.attached).toHaveLength(6);
  const statement = value.attached.find(({ layout, what }: Record<string, unknown>) => layout === "referrer" && what !== "image signature");
  expect(statement).toEqual({
    at: expect.stringMatching(/\/app@sha256:[0-9a-f]{64}$/),
    layout: "referrer",
    what: "https://slsa.dev/provenance/v1",
    size: expect.any(Number),
    digest: expect.stringMatching(/^sha256:/),
    builder: "https://tekton.dev/chains/v2",
    certificate: { identities: [somebody], issuer: world.ca.issuer.url, notBefore: expect.any(String), notAfter: expect.any(String) },
    log: [{ index: expect.any(String), time: expect.any(String) }],
  });
});

describe("what is not there", () => {
  test("nothing attached: 10; no such tag: 11; no image: 3", async () => {
    world.images.seedImage("bare", "1.0");
    expect(await world.person.run(["inspect", `${world.images.host}/bare:1.0`])).toMatchObject({
      code: 10,
      out: expect.stringContaining("nothing is attached"),
    });
    expect(await world.person.run(["inspect", `${world.images.host}/bare:2.0`])).toMatchObject({
      code: 11,
      err: expect.stringContaining("no such tag"),
    });
    expect((await world.person.run(["inspect", "UPPER::"])).code).toBe(3);
    expect((await world.person.run(["inspect"])).code).toBe(2);
  });

  test("a registry that talks nonsense: 3, and its words are not repeated", async () => {
    const odd = await misbehave(world.images.url);
    odd.fault = () => ({ kind: "status", status: 403 });
    const { code, out, err } = await world.person.run(["inspect", `${odd.host}/app@${world.digest}`, "-o", "json"]);
    await odd.close();
    expect(code).toBe(3);
    expect(out + err).not.toContain(canary);
  });
});

test("no escape sequence of a stranger reaches the terminal, and colours only where they are wanted", async () => {
  const image = `${world.images.host}/odd`;
  const digest = world.images.seedImage("odd", "1.0");
  const statement = { _type: "https://in-toto.io/Statement/v1", predicateType: "https://x.test/\u001b[31m", subject: [], predicate: {} };
  const envelope = {
    payloadType: "application/vnd.in-toto+json",
    payload: Buffer.from(JSON.stringify(statement)).toString("base64"),
    signatures: [{ sig: "AAAA" }],
  };
  const put = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${world.images.url}/v2/odd/${path}`, { method: "PUT", body, headers });
    expect(answer.status).toBe(201);
  };
  const { createHash } = await import("node:crypto");
  const blob = async (text: string) => {
    const sha = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    const start = await fetch(`${world.images.url}/v2/odd/blobs/uploads/`, { method: "POST" });
    const location = new URL(start.headers.get("location") ?? "", world.images.url);
    location.searchParams.set("digest", sha);
    await fetch(location, { method: "PUT", body: text });
    return { digest: sha, size: Buffer.byteLength(text) };
  };
  const layer = {
    mediaType: "application/vnd.dsse.envelope.v1+json",
    ...(await blob(JSON.stringify(envelope))),
    annotations: { "dev.cosignproject.cosign/signature": "" },
  };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...(await blob("{}")) },
    layers: [layer],
  };
  await put(`manifests/${digest.replace(":", "-")}.att`, JSON.stringify(manifest), { "content-type": mediaType });
  const plain = await world.person.run(["inspect", `${image}@${digest}`]);
  expect(plain.out).toContain("https://x.test/�[31m");
  expect(plain.out).not.toContain("\u001b");
  expect((await world.person.run(["inspect", `${image}@${digest}`], { color: true })).out).toContain("\u001b[1m");
});
