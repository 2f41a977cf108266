import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { attestRun } from "@countersign/attest";
import { type Route, route, type Signer } from "@countersign/core";
import { signV1, simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { type Http, http } from "@countersign/http";
import { type OpenRepository, parseImageManifest, parseIndex, registries } from "@countersign/oci-client";
import { type KeySource, x509Signer } from "@countersign/signers-x509";
import { type Attached, type OciStorage, ociStorage } from "@countersign/storage-oci";
import { imagesOf, parseRun } from "@countersign/tekton";
import { trustFromPem, verify } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtRun } from "./harness/built-run.ts";
import { cosign, type Registry, startDockerRegistry, startOciRegistry, tempFolder } from "./harness/index.ts";
import { pushImage } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * Tags, bundles and both; cosign's keys and plain ones; a registry without the Referrers API and one with it: cosign accepts what we attach
 * and refuses it with another key, with one flipped byte and for another image; and we accept, and refuse, what cosign attaches.
 */
const call = { signal: AbortSignal.timeout(170_000) };
const folder = tempFolder("bundles");
const env = { COSIGN_PASSWORD: "pw" };
const layouts = { tags: ["tags"], bundles: ["bundles"], both: ["tags", "bundles"] } as const;
type Layouts = keyof typeof layouts;
const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

interface Keys {
  readonly signer: Signer;
  readonly publicFile: string;
  readonly publicPem: string;
  /** For cosign to sign with. */
  readonly privateFile: string;
}
const kinds = ["cosign.key P-256", "cosign.key RSA", "x509.pem P-256", "x509.pem P-384"] as const;
const keys = new Map<string, Keys>();

/** The private key goes through cosign's own import where cosign.key is what the signer reads. */
async function keysOf(name: string, privateKey: KeyObject, publicKey: KeyObject): Promise<Keys> {
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const base = `${folder}/${name.replaceAll(" ", "-")}`;
  writeFileSync(`${base}.pem`, pem);
  writeFileSync(`${base}.pub`, publicPem);
  await cosign(["import-key-pair", "--key", `${base}.pem`, "--output-key-prefix", `${base}-imported`, "--yes"], env);
  const privateFile = `${base}-imported.key`;
  const files: Record<string, Uint8Array> = name.startsWith("x509")
    ? { "x509.pem": Buffer.from(pem) }
    : { "cosign.key": readFileSync(privateFile), "cosign.password": Buffer.from("pw") };
  const source: KeySource = { current: async () => ({ version: "1", files }) };
  return { signer: x509Signer({ keys: source }), publicFile: `${base}.pub`, publicPem, privateFile };
}

beforeAll(async () => {
  const made = {
    "P-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    "P-384": () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
    RSA: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };
  for (const name of [...kinds, "cosign.key P-256 theirs"]) {
    const { privateKey, publicKey } = made[name.includes("RSA") ? "RSA" : name.includes("P-384") ? "P-384" : "P-256"]();
    keys.set(name, await keysOf(name, privateKey, publicKey));
  }
});
const keysNamed = (name: string): Keys => keys.get(name) ?? expect.fail(`no keys named ${name}`);

describe.each([
  ["docker-registry", () => startDockerRegistry()],
  ["the registry with the Referrers API", () => startOciRegistry()],
] as const)("%s", (_, start) => {
  let registry: Registry;
  let wire: Http;
  let repository: OpenRepository;
  beforeAll(async () => {
    registry = await start();
    wire = http({ env: {} });
    repository = registries({ http: wire }).open({ registry: registry.host, repository: "team/app" }, [], "pull,push");
  });
  afterAll(async () => {
    await wire?.close();
    await registry?.stop();
  });

  const storage = (layout: "tags" | "bundles" = "tags"): OciStorage => ociStorage({ http: wire, credentials: async () => [], layout });

  async function attest(image: string, { signer }: Keys, how: Layouts): Promise<void> {
    const [name = "", digest = ""] = image.split("@");
    const run = parseRun(JSON.stringify(builtRun(`${name}@${digest}`)));
    const through = { signer, witnesses: [], backends: layouts[how].map(storage) };
    const formatters = layouts[how].map((layout) => (layout === "tags" ? simplesigning() : signV1()));
    const routes: readonly Route[] = [
      route(run, slsaV02({ builderId: "https://builder.example", deepInspection: false, format: "slsa/v1" }), through),
      ...imagesOf(run).flatMap((built) => formatters.map((formatter) => route(built, formatter, through))),
    ];
    const { outcomes } = await attestRun(run, routes, call);
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
  }

  const common = ["--insecure-ignore-tlog=true", "--allow-insecure-registry"];
  /** Exit codes of `cosign verify` and `cosign verify-attestation`. */
  async function codes(image: string, { publicFile }: Keys): Promise<readonly number[]> {
    const said = await Promise.all(
      [["verify"], ["verify-attestation", "--type", "slsaprovenance"]].map((words) =>
        cosign([...words, "--key", publicFile, ...common, image], env, { mayFail: true }),
      ),
    );
    return said.map(({ code }) => code);
  }
  const discovered = (image: string): Promise<readonly Attached[]> => storage().discover(image, call);
  const accepted = (all: readonly Attached[], { publicPem }: Keys): readonly boolean[] =>
    all.map(({ found, payload, digest }) => verify(found, payload, trustFromPem(publicPem), { subject: digest }).accepted);

  describe.each(Object.keys(layouts) as Layouts[])("%s", (how) => {
    test.each(kinds)("%s: accepted, and refused with another key", async (kind) => {
      const image = await pushImage(registry, "team/app", `${how} ${kind}`);
      await attest(image, keysNamed(kind), how);
      expect(await codes(image, keysNamed(kind))).toEqual([0, 0]);
      const ours = await discovered(image);
      expect(ours.map(({ layout }) => `${layout}s`).sort()).toEqual(
        layouts[how].flatMap((layout) => (layout === "tags" ? ["tags", "tags"] : ["referrers", "referrers"])).sort(),
      );
      expect(accepted(ours, keysNamed(kind))).toEqual(ours.map(() => true));
      const theirs = keysNamed("cosign.key P-256 theirs");
      for (const code of await codes(image, theirs)) expect(code).not.toBe(0);
      expect(accepted(ours, theirs)).toEqual(ours.map(() => false));
    });

    const wrongs = kinds.flatMap((kind) => (["one flipped byte", "another image"] as const).map((what) => [kind, what] as const));
    test.each(wrongs)("%s, %s: refused", async (kind, what) => {
      const mine = keysNamed(kind);
      const [image, other] = [
        await pushImage(registry, "team/app", `${how} ${what} ${kind}`),
        await pushImage(registry, "team/app", `other ${how} ${kind}`),
      ];
      await attest(image, mine, how);
      const target = what === "another image" ? other : image;
      await moved(image, image, (bytes) => bytes);
      expect(await codes(image, mine), "moving it is not what makes it wrong").toEqual([0, 0]);
      await moved(image, target, what === "another image" ? (bytes) => bytes : flipped);
      for (const code of await codes(target, mine)) expect(code).not.toBe(0);
      const all = await discovered(target);
      expect(all.length).toBe(2 * layouts[how].length);
      expect(accepted(all, mine)).toEqual(all.map(() => false));
    });
  });

  /** Everything attached to an image, with changed layers, attached to another one (or to itself again) and nothing else beside it. */
  async function moved(from: string, to: string, change: (bytes: Buffer) => Buffer): Promise<void> {
    const [source = "", target = ""] = [from, to].map((image) => image.split("@")[1]);
    for (const suffix of ["sig", "att"]) {
      const stored = await repository.manifest(`${source.replace(":", "-")}.${suffix}`, call);
      if (!stored) continue;
      const bytes = await changed(stored.bytes, change, {});
      await repository.putManifest(`${target.replace(":", "-")}.${suffix}`, { mediaType: stored.mediaType, bytes }, call);
    }
    const { referrers, keptBy } = await repository.listReferrers(source, call);
    const about = await repository.describe(target, call);
    const descriptors = [];
    for (const { digest, mediaType } of referrers) {
      const stored = await repository.manifest(digest, call);
      const bytes = await changed(stored?.bytes ?? Buffer.alloc(0), change, { subject: about });
      if (source === target) await wire.request({ url: `${registry.url}/v2/team/app/manifests/${digest}`, method: "DELETE", ...call });
      const put = await repository.putReferrer({ mediaType, bytes }, call);
      descriptors.push({ mediaType, size: bytes.length, digest: put.digest, artifactType: bundleType });
    }
    if (keptBy === "registry" || descriptors.length === 0) return;
    const index = { ...parseIndex(Buffer.from('{"schemaVersion":2,"manifests":[]}')), manifests: descriptors };
    const type = "application/vnd.oci.image.index.v1+json";
    const text = Buffer.from(JSON.stringify({ ...index, mediaType: type }));
    await repository.putManifest(target.replace(":", "-"), { mediaType: type, bytes: text }, call);
  }

  async function changed(manifest: Uint8Array, change: (bytes: Buffer) => Buffer, more: object): Promise<Buffer> {
    const parsed = parseImageManifest(manifest);
    const layers = [];
    for (const layer of parsed.layers) {
      const bytes = change(Buffer.from((await repository.blob(layer.digest, call)) ?? ""));
      layers.push({ ...layer, size: bytes.length, digest: await repository.putBlob(bytes, call) });
    }
    return Buffer.from(JSON.stringify({ ...parsed, layers, ...more }));
  }

  /** One letter of what was signed, however it is wrapped; it stays sound JSON. */
  function flipped(bytes: Buffer): Buffer {
    const text = bytes.toString();
    if (!/"payload"/.test(text)) return Buffer.from(text.replace("cosign container", "cosign containes"));
    const { dsseEnvelope, ...rest } = JSON.parse(text);
    const envelope = dsseEnvelope ?? rest;
    const payload = Buffer.from(envelope.payload, "base64").toString();
    const changedPayload = payload.includes("builder.example")
      ? payload.replace("builder.example", "builder.exbmple")
      : payload.replace('predicate":{}', 'predicate":{ }');
    expect(changedPayload).not.toBe(payload);
    const twin = { ...envelope, payload: Buffer.from(changedPayload).toString("base64") };
    return Buffer.from(JSON.stringify(dsseEnvelope ? { ...rest, dsseEnvelope: twin } : twin));
  }

  test.each(["tags", "bundles"] as const)(
    "what cosign signs as %s we accept, refuse with another key, and leave beside ours",
    async (layout) => {
      const [mine, theirs] = [keysNamed("cosign.key P-256"), keysNamed("cosign.key P-256 theirs")];
      const image = await pushImage(registry, "team/app", `cosign ${layout}`);
      const how = ["--key", theirs.privateFile, "--tlog-upload=false", "--use-signing-config=false", "--allow-insecure-registry", "--yes"];
      const format = layout === "tags" ? ["--new-bundle-format=false"] : [];
      const predicate = `${folder}/predicate.json`;
      writeFileSync(predicate, JSON.stringify({ builder: { id: "https://cosign.example" }, buildType: "x" }));
      await cosign(["sign", ...how, ...format, image], env);
      await cosign(["attest", "--type", "slsaprovenance", "--predicate", predicate, ...how, ...format, image], env);
      const by = await discovered(image);
      expect(by.map(({ kind }) => kind)).toEqual(["signature", "attestation"]);
      expect(accepted(by, theirs)).toEqual([true, true]);
      expect(accepted(by, mine)).toEqual([false, false]);
      await attest(image, mine, layout);
      const all = await discovered(image);
      expect(all).toHaveLength(4);
      expect(all.flatMap((one, n) => (accepted(all, theirs)[n] ? [createHash("sha256").update(one.payload).digest("hex")] : []))).toEqual(
        by.map(({ payload }) => createHash("sha256").update(payload).digest("hex")),
      );
      for (const who of [mine, theirs]) expect(await codes(image, who)).toEqual([0, 0]);
    },
  );
});
