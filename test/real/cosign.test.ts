import { createPublicKey, verify } from "node:crypto";
import { writeFileSync } from "node:fs";
import { attestRun } from "@countersign/attest";
import { messageOf } from "@countersign/bundle";
import { type Route, route, type Signer } from "@countersign/core";
import { simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { type Http, http } from "@countersign/http";
import { base64Bytes, inTotoPayloadType, parseEnvelope } from "@countersign/in-toto-attestation";
import { type OpenRepository, parseImageManifest, registries, sha256Of } from "@countersign/oci-client";
import { generateKeyPair, type KeySource, x509Signer } from "@countersign/signers-x509";
import { type OciStorage, ociStorage } from "@countersign/storage-oci";
import { imagesOf, parseRun } from "@countersign/tekton";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtRun } from "./harness/built-run.ts";
import { cosign, type Printed, type Registry, startDockerRegistry, startOciRegistry, tempFolder } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** What we attach, cosign accepts; what cosign attaches, we find; and neither takes anything from the other. */
const call = { signal: AbortSignal.timeout(170_000) };
const folder = tempFolder("cosign");
const password = "pw";
const env = { COSIGN_PASSWORD: password };
let wire: Http;

interface Keys {
  readonly signer: Signer;
  readonly privateFile: string;
  readonly publicFile: string;
  readonly publicKey: string;
}
async function keysNamed(name: string): Promise<Keys> {
  const pair = await generateKeyPair(password);
  const [privateFile, publicFile] = [`${folder}/${name}.key`, `${folder}/${name}.pub`];
  writeFileSync(privateFile, pair["cosign.key"]);
  writeFileSync(publicFile, pair["cosign.pub"]);
  const files = { "cosign.key": Buffer.from(pair["cosign.key"]), "cosign.password": Buffer.from(password) };
  const keys: KeySource = { current: async () => ({ version: "1", files }) };
  return { signer: x509Signer({ keys }), privateFile, publicFile, publicKey: pair["cosign.pub"] };
}

let ours: Keys;
let theirs: Keys;
beforeAll(async () => {
  wire = http();
  [ours, theirs] = await Promise.all([keysNamed("ours"), keysNamed("theirs")]);
});
afterAll(() => wire?.close());

describe.each([
  ["distribution", startDockerRegistry],
  ["CUE", () => startOciRegistry()],
] as const)("in %s", (_, start) => {
  let registry: Registry;
  let store: OciStorage;
  let repository: OpenRepository;
  beforeAll(async () => {
    registry = await start();
    store = ociStorage({ http: wire, credentials: async () => [] });
    repository = registries({ http: wire }).open({ registry: registry.host, repository: "team/app" }, [], "pull,push");
  });
  afterAll(() => registry?.stop());

  /** An image of one small layer, told apart by its text. */
  async function pushImage(text: string): Promise<string> {
    const config = Buffer.from(
      JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, config: { Env: [text] } }),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: {
          mediaType: "application/vnd.oci.image.config.v1+json",
          size: config.length,
          digest: await repository.putBlob(config, call),
        },
        layers: [],
      }),
    );
    return repository.putManifest(sha256Of(manifest), { mediaType: "application/vnd.oci.image.manifest.v1+json", bytes: manifest }, call);
  }

  /** The run's provenance and its image's signature, by the whole pipeline. */
  async function attest(digest: string, { signer }: Keys): Promise<readonly string[]> {
    const run = parseRun(JSON.stringify(builtRun(`${registry.host}/team/app@${digest}`)));
    const through = { signer, witnesses: [], backends: [store] };
    const routes: readonly Route[] = [
      route(run, slsaV02({ builderId: "https://builder.example", deepInspection: false, format: "slsa/v1" }), through),
      ...imagesOf(run).map((image) => route(image, simplesigning(), through)),
    ];
    const { outcomes } = await attestRun(run, routes, call);
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
    return outcomes.flatMap(({ stored }) => stored.flatMap(({ uris }) => uris));
  }

  const image = (digest: string): string => `${registry.host}/team/app@${digest}`;
  const common = ["--insecure-ignore-tlog=true", "--allow-insecure-registry"];
  const verifySignature = (digest: string, { publicFile }: Keys): Promise<Printed> =>
    cosign(["verify", "--key", publicFile, ...common, image(digest)], env, { mayFail: true });
  const verifyProvenance = (digest: string, { publicFile }: Keys): Promise<Printed> =>
    cosign(["verify-attestation", "--key", publicFile, "--type", "slsaprovenance", ...common, image(digest)], env, { mayFail: true });

  test("cosign accepts signature and provenance with our key, and refuses them with another", async () => {
    const digest = await pushImage("accepted");
    expect(await attest(digest, ours)).toHaveLength(2);
    const signature = await verifySignature(digest, ours);
    expect(signature, signature.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(signature.stdout)[0].critical.image["docker-manifest-digest"]).toBe(digest);
    const provenance = await verifyProvenance(digest, ours);
    expect(provenance, provenance.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(Buffer.from(JSON.parse(provenance.stdout).payload, "base64").toString()).predicateType).toBe(
      "https://slsa.dev/provenance/v0.2",
    );
    expect((await verifySignature(digest, theirs)).code).not.toBe(0);
    expect((await verifyProvenance(digest, theirs)).code).not.toBe(0);
  });

  test("attested twice, nothing is there twice; attested with a second key, both keys verify", async () => {
    const digest = await pushImage("rotated");
    for (const keys of [ours, ours, theirs, ours]) await attest(digest, keys);
    for (const suffix of ["sig", "att"]) {
      const stored = await repository.manifest(`${digest.replace(":", "-")}.${suffix}`, call);
      expect(stored && parseImageManifest(stored.bytes).layers).toHaveLength(2);
    }
    for (const keys of [ours, theirs]) {
      const [signature, provenance] = [await verifySignature(digest, keys), await verifyProvenance(digest, keys)];
      expect(signature, signature.stderr).toMatchObject({ code: 0 });
      expect(provenance, provenance.stderr).toMatchObject({ code: 0 });
    }
  });

  test("one flipped byte, and cosign refuses", async () => {
    const digest = await pushImage("flipped");
    await attest(digest, ours);
    for (const [suffix, verifyIt] of [
      ["sig", verifySignature],
      ["att", verifyProvenance],
    ] as const) {
      const tag = `${digest.replace(":", "-")}.${suffix}`;
      expect((await verifyIt(digest, ours)).code).toBe(0);
      const stored = await repository.manifest(tag, call);
      const manifest = parseImageManifest(stored?.bytes ?? Buffer.alloc(0));
      const [layer] = manifest.layers;
      const bytes = Buffer.from((await repository.blob(layer?.digest ?? "", call)) ?? "");
      const flipped = suffix === "sig" ? otherLetter(bytes) : otherPayload(bytes);
      const layers = [{ ...layer, size: flipped.length, digest: await repository.putBlob(flipped, call) }];
      await repository.putManifest(
        tag,
        { mediaType: stored?.mediaType ?? "", bytes: Buffer.from(JSON.stringify({ ...manifest, layers })) },
        call,
      );
      expect((await verifyIt(digest, ours)).code).not.toBe(0);
    }
  });

  /** "build" becomes "cuild" in the signed text, which stays sound JSON. */
  function otherLetter(bytes: Buffer): Buffer {
    const at = bytes.indexOf("cosign container");
    expect(at).toBeGreaterThan(0);
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  }
  function otherPayload(bytes: Buffer): Buffer {
    const envelope = JSON.parse(bytes.toString());
    const payload = Buffer.from(envelope.payload, "base64");
    const at = payload.indexOf("builder.example");
    expect(at).toBeGreaterThan(0);
    payload[at] = (payload[at] ?? 0) ^ 1;
    return Buffer.from(JSON.stringify({ ...envelope, payload: payload.toString("base64") }));
  }

  test("what cosign attaches is found, verifies, and stays beside ours", async () => {
    const digest = await pushImage("shared");
    const old = ["--tlog-upload=false", "--new-bundle-format=false", "--use-signing-config=false", "--allow-insecure-registry", "--yes"];
    const predicate = `${folder}/predicate.json`;
    writeFileSync(predicate, JSON.stringify({ builder: { id: "https://cosign.example" }, buildType: "x" }));
    await cosign(["sign", "--key", theirs.privateFile, ...old, image(digest)], env);
    await attest(digest, ours);
    await cosign(["attest", "--key", theirs.privateFile, "--type", "slsaprovenance", "--predicate", predicate, ...old, image(digest)], env);
    const attached = await store.discover(image(digest), call);
    expect(attached.map(({ kind }) => kind)).toEqual(["signature", "signature", "attestation", "attestation"]);
    const judged = attached.map(({ kind, found, payload }) => {
      const message =
        kind === "signature"
          ? payload
          : messageOf({ format: "", envelope: "dsse", mediaType: inTotoPayloadType, body: payload, subjects: [] });
      return [ours, theirs].map(({ publicKey }) => verify("sha256", message, createPublicKey(publicKey), found.signature.bytes));
    });
    expect(judged).toEqual([
      [false, true],
      [true, false],
      [true, false],
      [false, true],
    ]);
    for (const keys of [ours, theirs]) {
      const [signature, provenance] = [await verifySignature(digest, keys), await verifyProvenance(digest, keys)];
      expect(signature, signature.stderr).toMatchObject({ code: 0 });
      expect(provenance, provenance.stderr).toMatchObject({ code: 0 });
    }
  });

  test("cosign's own tools see what we attached: tree, download signature, download attestation", async () => {
    const digest = await pushImage("tools");
    await attest(digest, ours);
    const tree = await cosign(["tree", "--allow-insecure-registry", image(digest)], env);
    expect(tree.stdout).toContain(".att");
    expect(tree.stdout).toContain(".sig");
    const signature = JSON.parse((await cosign(["download", "signature", "--allow-insecure-registry", image(digest)], env)).stdout);
    expect(Buffer.from(signature.Payload, "base64").toString()).toContain(digest);
    const attestation = await cosign(["download", "attestation", "--allow-insecure-registry", image(digest)], env);
    const envelope = parseEnvelope(attestation.stdout);
    expect(Buffer.from(base64Bytes(envelope.payload) ?? "").toString()).toContain("https://builder.example");
  });
});
