import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dsseEnvelope, foundInBundle, sameBytes } from "@countersign/bundle";
import type { Attestation, Call, Evidence, Found } from "@countersign/core";
import { sha256Of } from "@countersign/oci-client";
import { describe, expect, test } from "vitest";
import { attested, digestOf, image, simplesigning, statement, testKey } from "./attestations.fixture.ts";
import { manifestText } from "./bundles.ts";
import { type OciOptions, type OciStorage, ociStorage } from "./oci-storage.ts";
import { signV1PredicateType } from "./places.ts";
import { answer, type MemoryRegistry, memoryRegistry } from "./registry.fixture.ts";

const call: Call = { signal: new AbortController().signal };
const key = testKey();
const name = "registry.example/team/app";
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const imageText = '{"an":"image"}';
const subject = image(name, imageText);
const fallback = `${name}/sha256-${digestOf(imageText)}`;

const backend = (http: MemoryRegistry, more: Partial<OciOptions> = {}): OciStorage =>
  ociStorage({
    http,
    credentials: async () => [],
    lookAfterMs: () => 1,
    layout: "bundles",
    now: () => new Date(1_700_000_000_000),
    ...more,
  });

/** With the image itself in it. */
function world(referrersApi: boolean, repository = name): MemoryRegistry {
  const registry = memoryRegistry();
  registry.referrersApi = referrersApi;
  putManifest(registry, repository, imageText);
  return registry;
}
function putManifest(registry: MemoryRegistry, repository: string, text: string, type = manifestType): void {
  registry.manifests.set(`${repository}/sha256:${digestOf(text)}`, { type, bytes: Buffer.from(text) });
}
const parsed = (registry: MemoryRegistry, at: string) => JSON.parse(Buffer.from(registry.manifests.get(at)?.bytes ?? "{}").toString());
const findFor = async (store: OciStorage, { artifact, payload }: Attestation): Promise<readonly Found[]> =>
  (await store.find?.({ artifact, payload, annotations: {} }, call)) ?? [];
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error("no failure")),
    (error) => error,
  );
const signV1 = (): Attestation["payload"] => {
  const payload = statement([subject]);
  return {
    ...payload,
    format: "sign-v1",
    predicateType: signV1PredicateType,
    body: Buffer.from(JSON.stringify({ predicateType: signV1PredicateType })),
  };
};

describe.each([true, false])("with the Referrers API: %s", (referrersApi) => {
  test("a statement becomes a bundle that refers to its image, and is found again", async () => {
    const registry = world(referrersApi);
    const attestation = attested(statement([subject]), key);
    const { uris } = await backend(registry).store(attestation, call);
    const digest = uris[0]?.split("@")[1] ?? "";
    expect(uris).toEqual([`${name}@${digest}`]);
    const manifest = parsed(registry, `${name}/${digest}`);
    expect(manifest).toMatchObject({
      artifactType: bundleType,
      config: { mediaType: "application/vnd.oci.empty.v1+json", size: 2 },
      layers: [{ mediaType: bundleType }],
      annotations: {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": attestation.payload.predicateType,
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
      },
      subject: { mediaType: manifestType, size: imageText.length, digest: `sha256:${digestOf(imageText)}` },
    });
    const bundle = registry.blobs.get(`${name}/${manifest.layers[0].digest}`) ?? Buffer.alloc(0);
    expect(sameBytes(foundInBundle(Buffer.from(bundle).toString())?.payload ?? Buffer.alloc(0), attestation.payload.body)).toBe(true);
    expect(registry.manifests.has(fallback)).toBe(!referrersApi);
    const [found, ...more] = await findFor(backend(registry), attestation);
    expect(more).toEqual([]);
    expect(sameBytes(found?.signature.bytes ?? Buffer.alloc(0), attestation.signature.bytes)).toBe(true);
  });

  test("stored once; another key's, another certificate's and another payload's are added", async () => {
    const registry = world(referrersApi);
    const attestation = attested(statement([subject]), key);
    const first = await backend(registry).store(attestation, call);
    const later = { now: () => new Date(1_800_000_000_000) };
    expect(await backend(registry, later).store(attestation, call)).toEqual(first);
    expect(await findFor(backend(registry), attestation)).toHaveLength(1);
    await backend(registry).store(attested(attestation.payload, testKey()), call);
    await backend(registry).store(attested(statement([subject], "other"), key), call);
    expect(await findFor(backend(registry), attestation)).toHaveLength(3);
  });

  test("a proof that the stored bundle lacks is stored beside it, once; it stays one signature", async () => {
    const registry = world(referrersApi);
    const attestation = attested(statement([subject]), key);
    const token = (text: string): Evidence => ({ kind: "timestamp", token: text });
    const bare = await backend(registry).store(attestation, call);
    const proven = await backend(registry).store({ ...attestation, evidence: [token("AAAA")] }, call);
    expect(proven).not.toEqual(bare);
    for (const evidence of [[], [token("AAAA")], [token("BBBB")]])
      expect([bare, proven]).toContainEqual(await backend(registry).store({ ...attestation, evidence }, call));
    expect(await backend(registry).discover(`${name}@sha256:${digestOf(imageText)}`, call)).toHaveLength(2);
    const found = await findFor(backend(registry), attestation);
    expect(found.map(({ evidence }) => evidence)).toEqual([[token("AAAA")]]);
  });

  test("an image that is not there: a sentence with the way out", async () => {
    const registry = memoryRegistry();
    registry.referrersApi = referrersApi;
    const error = await failure(backend(registry).store(attested(statement([subject]), key), call));
    expect(error).toMatchObject({ code: "store.image-missing", retry: "counted" });
    expect((error as Error).message).toContain("push the image first");
    expect(registry.manifests.size).toBe(0);
  });

  test("one referrer for each image of a statement, beside the image whatever the repository for tags is", async () => {
    const registry = world(referrersApi);
    putManifest(registry, "registry.example/team/two", imageText);
    const payload = statement([subject, image("registry.example/team/two", imageText), image("pkg:npm/foo"), subject]);
    const { uris } = await backend(registry, { repository: "other.example/sigs" }).store(attested(payload, key), call);
    expect(uris.map((uri) => uri.split("@")[0])).toEqual([name, "registry.example/team/two"]);
    expect(registry.seen.filter((line) => line.includes("other.example"))).toEqual([]);
  });

  test("what has no envelope is no bundle; what cosign signs in bundles is no layer", async () => {
    const registry = world(referrersApi);
    expect(await backend(registry).store(attested(simplesigning(subject), key), call)).toEqual({ uris: [] });
    expect(await backend(registry, { layout: "tags" }).store(attested(signV1(), key), call)).toEqual({ uris: [] });
    expect(registry.seen).toEqual([]);
    expect((await backend(registry).store(attested(signV1(), key), call)).uris).toHaveLength(1);
  });

  test("everything attached is discovered, in both layouts", async () => {
    const registry = world(referrersApi);
    const all = [attested(signV1(), key), attested(statement([subject], "a"), key), attested(simplesigning(subject), key)];
    for (const layout of ["tags", "bundles"] as const) for (const one of all) await backend(registry, { layout }).store(one, call);
    for (const layout of ["tags", "bundles"] as const) {
      const attached = await backend(registry, { layout }).discover(`${name}@sha256:${digestOf(imageText)}`, call);
      expect(attached.map(({ kind, layout, envelope }) => [kind, layout, envelope])).toEqual([
        ["signature", "tag", "none"],
        ["signature", "referrer", "dsse"],
        ["attestation", "tag", "dsse"],
        ["attestation", "referrer", "dsse"],
      ]);
      expect(attached.map(({ predicateType }) => predicateType)).toEqual([
        undefined,
        signV1PredicateType,
        ...["a", "b"].map(() => "https://slsa.dev/provenance/v0.2"),
      ]);
      const [, , inTag, inBundle] = attached;
      expect(inBundle?.uri).toMatch(/^registry\.example\/team\/app@sha256:[0-9a-f]{64}$/);
      expect(inTag && inBundle && sameBytes(inTag.payload, inBundle.payload)).toBe(true);
      expect(inTag?.blob.size).toBe(dsseEnvelope(all[1] as Attestation).length);
    }
  });

  test("only so much is read", async () => {
    const registry = world(referrersApi);
    const store = backend(registry);
    for (const more of ["a", "b", "c"]) await store.store(attested(statement([subject], more), key), call);
    const listed: object[] = [];
    for (const [at, { type, bytes }] of [...registry.manifests]) {
      const manifest = JSON.parse(Buffer.from(bytes).toString());
      if (!manifest.subject) continue;
      for (const layer of manifest.layers) layer.size = 15 * 2 ** 20;
      const grown = Buffer.from(JSON.stringify(manifest));
      registry.manifests.delete(at);
      registry.manifests.set(`${name}/${sha256Of(grown)}`, { type, bytes: grown });
      listed.push({ mediaType: type, size: grown.length, digest: sha256Of(grown) });
    }
    if (!referrersApi) {
      const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: listed }));
      registry.manifests.set(fallback, { type: indexType, bytes: index });
    }
    expect(await backend(registry).discover(`${name}@sha256:${digestOf(imageText)}`, call)).toHaveLength(2);
  });

  test("a damaged bundle, and a referrer of another kind, hide nothing", async () => {
    const registry = world(referrersApi);
    const store = backend(registry);
    await store.store(attested(statement([subject], "damaged"), key), call);
    for (const [at, bytes] of registry.blobs) if (bytes.length > 2) registry.blobs.set(at, Buffer.from("x"));
    const sound = attested(statement([subject], "sound"), key);
    await backend(registry).store(sound, call);
    expect(await findFor(backend(registry), sound)).toHaveLength(1);
    expect(await backend(registry).discover(`${name}@sha256:${digestOf(imageText)}`, call)).toHaveLength(1);
  });
});

describe("with the API", () => {
  test("requests: five for the first, three for the next", async () => {
    const registry = world(true);
    const store = backend(registry);
    const counted = async (attestation: Attestation): Promise<readonly string[]> => {
      registry.seen.length = 0;
      await store.store(attestation, call);
      return registry.seen.map((line) => line.replace(/ registry\.example\/v2\/team\/app\//, " ").replace(/[0-9a-f]{64}/, "…"));
    };
    expect([...(await counted(attested(statement([subject]), key)))].sort()).toEqual([
      "GET referrers/sha256:…",
      "GET registry.example/v2/",
      "HEAD manifests/sha256:…",
      "POST blobs/uploads/",
      "POST blobs/uploads/",
      "PUT manifests/sha256:…",
    ]);
    expect(await counted(attested(signV1(), key))).toEqual(["GET referrers/sha256:…", "POST blobs/uploads/", "PUT manifests/sha256:…"]);
  });

  test("one that does not say that it lists a referrer is asked", async () => {
    const registry = world(true);
    let puts = 0;
    const http: MemoryRegistry = {
      ...registry,
      async request(request) {
        const { status, body, headers } = await registry.request(request);
        if (request.method === "PUT") puts += 1;
        return { status, body, headers: Object.fromEntries(Object.entries(headers).filter(([header]) => header !== "oci-subject")) };
      },
    };
    await backend(http).store(attested(statement([subject]), key), call);
    expect(puts).toBe(1);
    expect(registry.manifests.has(fallback)).toBe(false);
  });

  test("one that lists nothing that it is given gets the fallback index", async () => {
    const registry = world(true);
    registry.before = (line) =>
      line.includes("/referrers/")
        ? answer(200, JSON.stringify({ schemaVersion: 2, manifests: [] }), { "content-type": indexType })
        : undefined;
    const http: MemoryRegistry = {
      ...registry,
      async request(request) {
        const { status, body, headers } = await registry.request(request);
        return { status, body, headers: Object.fromEntries(Object.entries(headers).filter(([header]) => header !== "oci-subject")) };
      },
    };
    await backend(http).store(attested(statement([subject]), key), call);
    expect(parsed(registry, fallback).manifests).toHaveLength(1);
  });
});

describe("the fallback index", () => {
  test("what others listed stays as it is; all are sorted by digest; ours carries type and annotations", async () => {
    const registry = world(false);
    const theirs = ["f", "0"].map((hex) => ({
      mediaType: manifestType,
      size: 1,
      digest: `sha256:${hex.repeat(64)}`,
      artifactType: "application/vnd.oci.empty.v1+json",
      odd: { a: 1 },
    }));
    const index = { schemaVersion: 2, mediaType: indexType, manifests: theirs, annotations: { keep: "me" } };
    registry.manifests.set(fallback, { type: indexType, bytes: Buffer.from(JSON.stringify(index)) });
    await backend(registry).store(attested(statement([subject]), key), call);
    const { manifests, annotations } = parsed(registry, fallback);
    expect(annotations).toEqual({ keep: "me" });
    expect(manifests).toHaveLength(3);
    expect([manifests[0], manifests[2]]).toEqual([theirs[1], theirs[0]]);
    expect(manifests[1]).toMatchObject({
      artifactType: bundleType,
      annotations: {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v0.2",
      },
    });
  });

  test("something else at the tag is not overwritten", async () => {
    const registry = world(false);
    const other = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] }));
    registry.manifests.set(fallback, { type: manifestType, bytes: other });
    expect(await failure(backend(registry).store(attested(statement([subject]), key), call))).toMatchObject({
      code: "store.registry-refused",
      message: expect.stringContaining("remove the tag"),
    });
    expect(registry.manifests.get(fallback)?.bytes).toBe(other);
  });

  test("fifty at once in one process: all are listed, in few writes", async () => {
    const registry = world(false);
    const store = backend(registry);
    const all = Array.from({ length: 50 }, (_, i) => attested(statement([subject], `${i}`), key));
    await Promise.all(all.map((one) => store.store(one, call)));
    expect(parsed(registry, fallback).manifests).toHaveLength(50);
    expect(registry.seen.filter((line) => line.startsWith("PUT") && line.includes("/sha256-")).length).toBeLessThan(10);
  });

  test("an entry that another process overwrote is listed again", async () => {
    const registry = world(false);
    const empty = { type: indexType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] })) };
    let overwritten = 0;
    registry.before = (line) => {
      if (!line.startsWith("HEAD") || !line.includes("/sha256-") || overwritten >= 2) return undefined;
      overwritten += 1;
      registry.manifests.set(fallback, empty);
      return undefined;
    };
    const contended: string[] = [];
    await backend(registry, { onContention: (...told) => contended.push(told.join(" ")) }).store(attested(statement([subject]), key), call);
    expect(parsed(registry, fallback).manifests).toHaveLength(1);
    const place = `${name}:sha256-${digestOf(imageText)}`;
    expect(contended).toEqual([`${place} moved`, `${place} lost`, `${place} moved`, `${place} lost`]);
  });
});

const golden = join(import.meta.dirname, "../../../../../shared/golden/oci");
const recorded = existsSync(golden)
  ? ["cosign-3.1.1", "chains"].flatMap((by) =>
      readdirSync(join(golden, by))
        .filter((folder) => folder.includes("bundle"))
        .flatMap((folder) =>
          readdirSync(join(golden, by, folder))
            .filter((file) => file.endsWith(".manifest.json"))
            .map((file) => [join(by, folder), file.replace(".manifest.json", "")] as const),
        ),
    )
  : [];
describe.skipIf(recorded.length === 0)(
  `recorded referrers${recorded.length > 0 ? "" : " — skipped: no ../shared/golden beside the repository"}`,
  () => {
    test.each(recorded)("%s: %s is made again, byte for byte", (folder, what) => {
      const file = (suffix: string): Buffer => readFileSync(join(golden, folder, `${what}.${suffix}`));
      const { annotations, subject: about } = JSON.parse(file("manifest.json").toString());
      const payload = { ...statement([]), predicateType: annotations["dev.sigstore.bundle.predicateType"] };
      const made = manifestText(payload, file("bundle.json"), about, new Date(annotations["org.opencontainers.image.created"]));
      expect(Buffer.from(made).toString()).toBe(file("manifest.json").toString());
      expect(sha256Of(file("config.json"))).toBe(JSON.parse(Buffer.from(made).toString()).config.digest);
    });
  },
);
