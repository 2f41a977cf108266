import type { Attestation, Call, Found, StorageBackend } from "@countersign/core";
import { HttpError } from "@countersign/http";
import { describe, expect, test } from "vitest";
import { attested, digestOf, image, simplesigning, statement, testKey } from "./attestations.fixture.ts";
import type { CredentialSource } from "./keychain.ts";
import { type OciOptions, type OciStorage, ociStorage } from "./oci-storage.ts";
import { answer, type MemoryRegistry, memoryRegistry } from "./registry.fixture.ts";
import { turnsTaken } from "./turn.ts";

const call: Call = { signal: new AbortController().signal };
const nobody: CredentialSource = async () => [];
const key = testKey();
const name = "registry.example/team/app";
const subject = image(name);
const tag = `sha256-${digestOf("image")}`;
const backend = (http: MemoryRegistry, more: Partial<OciOptions> = {}): OciStorage =>
  ociStorage({ http, credentials: nobody, lookAfterMs: () => 1, ...more });
const findFor = async (store: StorageBackend, { artifact, payload }: Attestation): Promise<readonly Found[]> =>
  (await store.find?.({ artifact, payload, annotations: {} }, call)) ?? [];
const layersAt = (registry: MemoryRegistry, key: string): readonly { digest: string; annotations: Record<string, string> }[] =>
  JSON.parse(Buffer.from(registry.manifests.get(key)?.bytes ?? "{}").toString()).layers ?? [];
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error("no failure")),
    (error) => error,
  );

describe("storing", () => {
  test("a statement becomes a layer of .att, an image signature one of .sig; both are found again", async () => {
    const registry = memoryRegistry();
    const store = backend(registry);
    for (const [attestation, kind] of [
      [attested(statement([subject]), key), "att"],
      [attested(simplesigning(subject), key), "sig"],
    ] as const) {
      expect(await store.store(attestation, call)).toEqual({ uris: [`${name}:${tag}.${kind}`] });
      expect(layersAt(registry, `${name}/${tag}.${kind}`)).toHaveLength(1);
      const [found] = await findFor(store, attestation);
      expect(Buffer.compare(found?.signature.bytes ?? Buffer.alloc(0), attestation.signature.bytes)).toBe(0);
    }
  });

  test("requests: six for the first tag of a registry, five for the next, two where it is stored already", async () => {
    const registry = memoryRegistry();
    const store = backend(registry);
    const attestation = attested(statement([subject]), key);
    await store.store(attestation, call);
    expect(registry.seen).toEqual([
      "GET registry.example/v2/",
      `GET registry.example/v2/team/app/manifests/${tag}.att`,
      "POST registry.example/v2/team/app/blobs/uploads/",
      "POST registry.example/v2/team/app/blobs/uploads/",
      `PUT registry.example/v2/team/app/manifests/${tag}.att`,
      `HEAD registry.example/v2/team/app/manifests/${tag}.att`,
    ]);
    registry.seen.length = 0;
    await store.store(attested(statement([subject], "second"), key), call);
    expect(registry.seen).toHaveLength(5);
    registry.seen.length = 0;
    await store.store(attestation, call);
    expect(registry.seen).toEqual([`GET registry.example/v2/team/app/manifests/${tag}.att`]);
    registry.seen.length = 0;
    await findFor(store, attestation);
    expect(registry.seen, "the look after a write is the reading that follows it").toHaveLength(0);
    await findFor(store, attestation);
    expect(registry.seen, "what we put there ourselves need not be fetched").toHaveLength(1);
    registry.seen.length = 0;
    await findFor(backend(registry), attestation);
    expect(registry.seen, "a stranger reads manifest and layers").toHaveLength(3);
  });

  test("the same signature twice is one layer, and a retry of it writes the same bytes", async () => {
    const [first, second] = [memoryRegistry(), memoryRegistry()];
    const attestation = attested(statement([subject]), key);
    for (const registry of [first, second]) for (let i = 0; i < 3; i += 1) await backend(registry).store(attestation, call);
    expect(first.manifests.get(`${name}/${tag}.att`)).toEqual(second.manifests.get(`${name}/${tag}.att`));
    expect(layersAt(first, `${name}/${tag}.att`)).toHaveLength(1);
    expect(first.seen.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  });

  test("the same signature is the same, whatever a log said of it since", async () => {
    const registry = memoryRegistry();
    const attestation = attested(simplesigning(subject), key);
    const entry = {
      logIndex: "1",
      logId: { keyId: "AA==" },
      kindVersion: { kind: "hashedrekord", version: "0.0.1" },
      integratedTime: "1",
      inclusionPromise: { signedEntryTimestamp: "AA==" },
      canonicalizedBody: Buffer.from('{"kind":"hashedrekord","apiVersion":"0.0.1"}').toString("base64"),
    };
    await backend(registry).store(attestation, call);
    await backend(registry).store({ ...attestation, evidence: [{ kind: "log-entry", entry }] }, call);
    const at = `${name}/${tag}.sig`;
    expect(layersAt(registry, at)).toHaveLength(1);
    // What the log said is added where it is missing, and nothing else is touched.
    const { "dev.sigstore.cosign/bundle": word, ...rest } = layersAt(registry, at)[0]?.annotations ?? {};
    expect(JSON.parse(word ?? "{}")).toMatchObject({ SignedEntryTimestamp: "AA==" });
    expect(Object.keys(rest)).toHaveLength(3);
    expect((await findFor(backend(registry), attestation))[0]?.evidence).toMatchObject([{ kind: "log-entry", entry: { logIndex: "1" } }]);
    const written = registry.manifests.get(at);
    for (const evidence of [[], [{ kind: "log-entry", entry }], [{ kind: "log-entry", entry: { ...entry, logIndex: "2" } }]] as const)
      await backend(registry).store({ ...attestation, evidence }, call);
    expect(registry.manifests.get(at), "a word that is there stays").toBe(written);
    await backend(registry).store({ ...attestation, evidence: [{ kind: "timestamp", token: "AAAA" }] }, call);
    expect((await findFor(backend(registry), attestation))[0]?.evidence).toHaveLength(2);
    expect(JSON.parse(Buffer.from(registry.manifests.get(at)?.bytes ?? "").toString()).config).toEqual(
      JSON.parse(Buffer.from(written?.bytes ?? "").toString()).config,
    );
  });

  test("another key's signature over the same payload is added, and so is another certificate's", async () => {
    const registry = memoryRegistry();
    const store = backend(registry);
    const payload = simplesigning(subject);
    const one = attested(payload, key);
    await store.store(one, call);
    await store.store(attested(payload, testKey()), call);
    await store.store({ ...one, signature: { ...one.signature, certificate: "PEM" } }, call);
    const layers = layersAt(registry, `${name}/${tag}.sig`);
    expect(layers).toHaveLength(3);
    expect(new Set(layers.map(({ digest }) => digest)).size).toBe(1);
    expect(registry.seen.filter((line) => line.startsWith("POST"))).toHaveLength(4);
    expect(await findFor(store, one)).toHaveLength(3);
  });

  test("what others put there stays, in its order, with its annotations and media types", async () => {
    const registry = memoryRegistry();
    const foreign = {
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: { mediaType: "application/vnd.docker.container.image.v1+json", size: 2, digest: `sha256:${digestOf("{}")}` },
      layers: [{ mediaType: "x/y", size: 1, digest: `sha256:${digestOf("x")}`, annotations: { z: "1", a: "2" }, urls: ["u"] }],
      annotations: { keep: "me" },
    };
    registry.manifests.set(`${name}/${tag}.att`, { type: foreign.mediaType, bytes: Buffer.from(JSON.stringify(foreign)) });
    registry.blobs.set(`${name}/sha256:${digestOf("x")}`, Buffer.from("x"));
    const attestation = attested(statement([subject]), key);
    await backend(registry).store(attestation, call);
    const kept = registry.manifests.get(`${name}/${tag}.att`);
    const written = JSON.parse(Buffer.from(kept?.bytes ?? "").toString());
    expect(kept?.type).toBe(foreign.mediaType);
    expect(JSON.stringify(written.layers[0])).toBe(JSON.stringify(foreign.layers[0]));
    expect(written).toMatchObject({
      mediaType: foreign.mediaType,
      annotations: { keep: "me" },
      config: { mediaType: foreign.config.mediaType },
    });
    expect(written.layers).toHaveLength(2);
    expect(registry.seen.some((line) => line.startsWith("GET") && line.includes("/blobs/"))).toBe(false);
    expect(await findFor(backend(registry), attestation)).toHaveLength(1);
  });

  test("a tag that is full stays readable: one layer more, and no verifier would read any", async () => {
    const registry = memoryRegistry();
    const at = `${name}/${tag}.att`;
    const blob = { mediaType: "x/y", size: 1, digest: `sha256:${digestOf("x")}` };
    const full = { schemaVersion: 2, config: blob, layers: Array.from({ length: 999 }, () => blob) };
    registry.blobs.set(`${name}/${blob.digest}`, Buffer.from("x"));
    registry.manifests.set(at, { type: "application/vnd.oci.image.manifest.v1+json", bytes: Buffer.from(JSON.stringify(full)) });
    const last = attested(statement([subject], "last"), key);
    await backend(registry).store(last, call);
    const error = await failure(backend(registry).store(attested(statement([subject], "too many"), key), call));
    expect(error).toMatchObject({ code: "store.tag-full", retry: "counted" });
    expect(layersAt(registry, at)).toHaveLength(1000);
    await backend(registry).store({ ...last, evidence: [{ kind: "timestamp", token: "AAAA", over: "envelope" }] }, call);
    expect(layersAt(registry, at).at(-1)?.annotations).toHaveProperty("dev.sigstore.cosign/rfc3161timestamp");
  });

  test("something else at the tag is not overwritten", async () => {
    const registry = memoryRegistry();
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] }));
    registry.manifests.set(`${name}/${tag}.att`, { type: "application/vnd.oci.image.index.v1+json", bytes: index });
    expect(await failure(backend(registry).store(attested(statement([subject]), key), call))).toMatchObject({
      code: "store.registry-refused",
      retry: "counted",
    });
    expect(registry.manifests.get(`${name}/${tag}.att`)?.bytes).toBe(index);
  });
});

describe("places", () => {
  test("all subjects that are images; the others are left out", async () => {
    const registry = memoryRegistry();
    const subjects = [
      image("pkg:npm/foo@1.0.0"),
      image("git+https://github.com/a/b"),
      image("https://registry.example/a"),
      image("app.jar"),
      image("dist/app.jar"),
      { name: "registry.example/no/digest", digest: { sha512: "a" } },
      image("registry.example/one"),
      image("registry.example/two", "other"),
      image("registry.example/one"),
    ];
    const { uris } = await backend(registry).store(attested(statement(subjects), key), call);
    expect(uris).toEqual([`registry.example/one:${tag}.att`, `registry.example/two:sha256-${digestOf("other")}.att`]);
  });

  test("nothing to store is no failure and no traffic", async () => {
    const registry = memoryRegistry();
    const other = { ...simplesigning(subject), mediaType: "application/json" };
    for (const payload of [statement([]), statement([image("pkg:npm/foo")]), other])
      expect(await backend(registry).store(attested(payload, key), call)).toEqual({ uris: [] });
    expect(registry.seen).toEqual([]);
  });

  test("an image signature that names no image can never be stored", async () => {
    const error = await failure(backend(memoryRegistry()).store(attested(simplesigning(image("no\nimage")), key), call));
    expect(error).toMatchObject({ code: "store.image-name", retry: "never" });
    expect((error as Error).message).not.toContain("\n");
  });

  test("one repository for all: read, merged and written there", async () => {
    const registry = memoryRegistry();
    const store = backend(registry, { repository: "other.example/signatures" });
    const task = attested(statement([subject], "task"), key);
    await store.store(task, call);
    await store.store(attested(statement([subject], "pipeline"), key), call);
    expect(layersAt(registry, `other.example/signatures/${tag}.att`)).toHaveLength(2);
    expect(registry.seen.every((line) => line.includes("other.example"))).toBe(true);
    expect(await findFor(store, task)).toHaveLength(2);
    expect(() => backend(registry, { repository: "https://other.example/x" })).toThrow(
      expect.objectContaining({ code: "config.oci-repository", retry: "hold" }),
    );
  });

  test("credentials are asked for the place that is written to, and for whose run it is", async () => {
    const asked: unknown[] = [];
    const credentials: CredentialSource = async (artifact, place) => {
      asked.push([artifact?.run.namespace, artifact?.serviceAccount, place]);
      return [];
    };
    await backend(memoryRegistry(), { credentials, repository: "other.example/sigs" }).store(attested(statement([subject]), key), call);
    expect(asked).toEqual([["ci", "builder", { registry: "other.example", repository: "sigs" }]]);
  });
});

describe("many writers", () => {
  test("fifty at once in one process: none is lost, nobody waits for nothing", async () => {
    const registry = memoryRegistry();
    const stores = [backend(registry), backend(registry)];
    const all = Array.from({ length: 50 }, (_, i) => attested(statement([subject], `${i}`), key));
    await Promise.all(all.map((attestation, i) => stores[i % 2]?.store(attestation, call)));
    expect(layersAt(registry, `${name}/${tag}.att`)).toHaveLength(50);
    expect(registry.seen.filter((line) => line.startsWith("PUT")).length, "who waits is taken along").toBeLessThan(5);
    expect(turnsTaken()).toBe(0);
  });

  test("a layer that another process overwrote is merged in again", async () => {
    const registry = memoryRegistry();
    const mine = attested(statement([subject], "mine"), key);
    const other = memoryRegistry();
    await backend(other).store(attested(statement([subject], "theirs"), key), call);
    const theirs = other.manifests.get(`${name}/${tag}.att`);
    let overwritten = 0;
    registry.before = (line) => {
      if (!line.startsWith("HEAD") || overwritten >= 2 || !theirs) return undefined;
      overwritten += 1;
      registry.manifests.set(`${name}/${tag}.att`, theirs);
      for (const [key, bytes] of other.blobs) registry.blobs.set(key, bytes);
      return undefined;
    };
    await backend(registry).store(mine, call);
    expect(overwritten).toBe(2);
    expect(layersAt(registry, `${name}/${tag}.att`)).toHaveLength(2);
    expect(await findFor(backend(registry), mine)).toHaveLength(2);
    expect(registry.seen.filter((line) => line.startsWith("POST")).length, "the layer once, three configurations").toBe(4);
  });

  test("another process that has appended to ours is no reason to write again", async () => {
    const registry = memoryRegistry();
    const at = `${name}/${tag}.att`;
    let appendedTo = false;
    registry.before = (line) => {
      const kept = registry.manifests.get(at);
      if (!line.startsWith("HEAD") || !kept || appendedTo) return undefined;
      appendedTo = true;
      const manifest = JSON.parse(Buffer.from(kept.bytes).toString());
      const layers = [...manifest.layers, { mediaType: "x/y", size: 1, digest: `sha256:${digestOf("x")}` }];
      registry.manifests.set(at, { type: kept.type, bytes: Buffer.from(JSON.stringify({ ...manifest, layers })) });
      return undefined;
    };
    await backend(registry).store(attested(statement([subject]), key), call);
    expect(layersAt(registry, at)).toHaveLength(2);
    expect(registry.seen.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  });

  test("an abort before the look is prompt", async () => {
    const stop = new AbortController();
    const lookAfterMs = (): number => {
      setTimeout(() => stop.abort("enough"), 5);
      return 60_000;
    };
    const storing = backend(memoryRegistry(), { lookAfterMs }).store(attested(statement([subject]), key), { signal: stop.signal });
    expect(await failure(storing)).toBe("enough");
  });

  test("a tag that is never ours is an outage, not an endless loop", async () => {
    const registry = memoryRegistry();
    registry.before = (line) =>
      line.startsWith("HEAD")
        ? answer(200, "", { "docker-content-digest": `sha256:${digestOf("x")}` })
        : line.startsWith("GET")
          ? answer(404)
          : undefined;
    expect(await failure(backend(registry).store(attested(statement([subject]), key), call))).toMatchObject({
      code: "store.contended",
      retry: "wait",
    });
    expect(registry.seen.filter((line) => line.startsWith("PUT")).length).toBeLessThan(20);
  });

  test("a failure does not block those behind it, and an abort while waiting is prompt", async () => {
    const registry = memoryRegistry();
    const gate = Promise.withResolvers<undefined>();
    let first = true;
    registry.before = (line) => {
      if (!first || !line.startsWith("PUT")) return undefined;
      first = false;
      return gate.promise.then(() => answer(500, "", { "retry-after": "60" }));
    };
    const store = backend(registry);
    const failing = failure(store.store(attested(statement([subject], "a"), key), call));
    const stop = new AbortController();
    const waiting = failure(store.store(attested(statement([subject], "b"), key), { signal: stop.signal }));
    const last = store.store(attested(statement([subject], "c"), key), call);
    setTimeout(() => stop.abort("enough"), 5);
    expect(await waiting).toBe("enough");
    gate.resolve(undefined);
    expect(await failing).toMatchObject({ retry: "wait" });
    await last;
    expect(layersAt(registry, `${name}/${tag}.att`)).toHaveLength(1);
  });
});

describe("failures", () => {
  const against = async (before: MemoryRegistry["before"], more: Partial<OciOptions> = {}): Promise<unknown> => {
    const registry = memoryRegistry();
    registry.before = before;
    return failure(backend(registry, more).store(attested(statement([subject]), key), call));
  };

  test.each([400, 401, 403, 404, 405, 413])("%i on writing is counted", async (status) => {
    expect(await against((line) => (line.startsWith("PUT") ? answer(status) : undefined))).toMatchObject({ retry: "counted" });
  });
  test.each([408, 425, 429, 500, 502, 503])("%i is waited for, as long as the registry asks", async (status) => {
    const error = await against((line) => (line.startsWith("PUT") ? answer(status, "", { "retry-after": "7" }) : undefined));
    expect(error).toMatchObject({ code: "store.registry-unavailable", retry: "wait", retryAfterMs: 7000 });
  });
  test.each(["connect", "dns", "timeout", "reset"] as const)("%s is waited for", async (fault) => {
    expect(await against(() => Promise.reject(new HttpError(fault, "x")))).toMatchObject({ retry: "wait" });
  });
  test.each(["tls", "refused-host", "too-large"] as const)("%s is counted", async (fault) => {
    expect(await against(() => Promise.reject(new HttpError(fault, "x")))).toMatchObject({ retry: "counted" });
  });

  test("a registry that dawdles through small steps runs out of time", async () => {
    const slow = async (): Promise<undefined> => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return undefined;
    };
    expect(await against(slow, { totalMs: 50 })).toMatchObject({ code: "store.registry-unavailable", retry: "wait" });
  });

  test("an abort is nobody's failure", async () => {
    const registry = memoryRegistry();
    registry.before = () => new Promise(() => undefined);
    const stop = new AbortController();
    const storing = failure(backend(registry).store(attested(statement([subject]), key), { signal: stop.signal }));
    const finding = failure(
      Promise.resolve(backend(registry).find?.({ ...attested(statement([subject]), key), annotations: {} }, { signal: stop.signal })),
    );
    setTimeout(() => stop.abort("enough"), 5);
    expect(await storing).toBe("enough");
    expect(await finding).toBe("enough");
  });

  test("an abort is not hidden by a failure before it", async () => {
    const registry = memoryRegistry();
    registry.before = (line) => (line.includes("fails.example") ? answer(503) : new Promise(() => undefined));
    const stop = new AbortController();
    const subjects = ["fails.example/app", "hangs.example/app"].map((one) => image(one));
    const storing = failure(backend(registry).store(attested(statement(subjects), key), { signal: stop.signal }));
    setTimeout(() => stop.abort("enough"), 20);
    expect(await storing).toBe("enough");
  });

  test("one place's failure keeps no other from its turn; the mildest failure is thrown and named", async () => {
    const registry = memoryRegistry();
    registry.before = (line) =>
      line.includes("refuses.example") ? answer(403) : line.includes("sleeps.example") ? answer(503) : undefined;
    const subjects = ["refuses.example/app", "sleeps.example/app", "works.example/app"].map((one) => image(one));
    const error = await failure(backend(registry).store(attested(statement(subjects), key), call));
    expect(error).toMatchObject({ retry: "wait" });
    expect((error as Error).message).toContain("sleeps.example/app");
    expect(layersAt(registry, `works.example/app/${tag}.att`)).toHaveLength(1);
  });
});

describe("finding", () => {
  test("nothing where nothing is", async () => {
    expect(await findFor(backend(memoryRegistry()), attested(statement([subject]), key))).toEqual([]);
  });

  test("layers that are damaged, gone, or no signatures do not hide the sound one", async () => {
    const registry = memoryRegistry();
    const attestation = attested(statement([subject], "sound"), key);
    const store = backend(registry);
    for (const more of ["damaged", "gone"]) await store.store(attested(statement([subject], more), key), call);
    await store.store(attestation, call);
    const [damaged, gone] = layersAt(registry, `${name}/${tag}.att`);
    registry.blobs.set(`${name}/${damaged?.digest}`, Buffer.from("x"));
    registry.blobs.delete(`${name}/${gone?.digest}`);
    const found = await findFor(backend(registry), attestation);
    expect(found).toHaveLength(1);
    expect(Buffer.compare(found[0]?.signature.bytes ?? Buffer.alloc(0), attestation.signature.bytes)).toBe(0);
  });

  test("in the order in which they were attached, and what cosign leaves out counts as empty", async () => {
    const registry = memoryRegistry();
    const store = backend(registry);
    const all = ["a", "b", "c"].map((more) => attested(statement([subject], more), key));
    for (const attestation of all) await store.store(attestation, call);
    const [first] = all;
    expect((await findFor(backend(registry), first ?? attested(statement([]), key))).map(({ digest }) => digest)).toEqual(
      all.map(({ payload }) => digestOf(Buffer.from(payload.body).toString())),
    );
    const at = `${name}/${tag}.att`;
    const kept = registry.manifests.get(at);
    const manifest = JSON.parse(Buffer.from(kept?.bytes ?? "").toString());
    for (const layer of manifest.layers) layer.annotations = { "dev.cosignproject.cosign/signature": "" };
    registry.manifests.set(at, { type: kept?.type ?? "", bytes: Buffer.from(JSON.stringify(manifest)) });
    for (const attestation of all) await store.store(attestation, call);
    expect(layersAt(registry, at)).toHaveLength(3);
  });

  test("only so much is read: the oldest are left out", async () => {
    const registry = memoryRegistry();
    const store = backend(registry);
    for (const more of ["a", "b", "c"]) await store.store(attested(statement([subject], more), key), call);
    const at = `${name}/${tag}.att`;
    const kept = registry.manifests.get(at);
    const manifest = JSON.parse(Buffer.from(kept?.bytes ?? "").toString());
    for (const layer of manifest.layers) layer.size = 15 * 2 ** 20;
    registry.manifests.set(at, { type: kept?.type ?? "", bytes: Buffer.from(JSON.stringify(manifest)) });
    const found = await findFor(backend(registry), attested(statement([subject], "c"), key));
    expect(found.map(({ digest }) => digest)).toEqual(
      ["b", "c"].map((more) => digestOf(Buffer.from(statement([subject], more).body).toString())),
    );
  });

  test("no answer is a failure, not an empty place", async () => {
    const registry = memoryRegistry();
    const attestation = attested(statement([subject]), key);
    await backend(registry).store(attestation, call);
    registry.before = (line) => (line.includes("/blobs/") ? answer(503) : undefined);
    expect(await failure(findFor(backend(registry), attestation))).toMatchObject({ retry: "wait" });
  });
});

describe("discovering", () => {
  test("both kinds, by digest and by tag, with the payload that was signed", async () => {
    const registry = memoryRegistry();
    const store = backend(registry);
    const [provenance, signature] = [attested(statement([subject]), key), attested(simplesigning(subject), key)];
    await store.store(provenance, call);
    await store.store(signature, call);
    registry.manifests.set(`${name}/v1`, { type: "application/vnd.oci.image.manifest.v1+json", bytes: Buffer.from("image") });
    for (const reference of [`${name}@sha256:${digestOf("image")}`, `${name}:v1`]) {
      const attached = await store.discover(reference, call);
      expect(attached.map(({ kind, uri }) => [kind, uri])).toEqual([
        ["signature", `${name}:${tag}.sig`],
        ["attestation", `${name}:${tag}.att`],
      ]);
      expect(attached.map(({ payload }) => Buffer.from(payload).toString())).toEqual(
        [signature, provenance].map(({ payload }) => Buffer.from(payload.body).toString()),
      );
    }
  });

  test("in the repository that is kept for all", async () => {
    const registry = memoryRegistry();
    const store = backend(registry, { repository: "other.example/sigs" });
    await store.store(attested(statement([subject]), key), call);
    const attached = await store.discover(`${name}@sha256:${digestOf("image")}`, call);
    expect(attached.map(({ uri }) => uri)).toEqual([`other.example/sigs:${tag}.att`]);
  });

  test("what is no image, and a tag that is not there", async () => {
    const store = backend(memoryRegistry());
    expect(await failure(store.discover("https://x", call))).toMatchObject({ code: "store.image-name" });
    expect(await failure(store.discover(`${name}:v1`, call))).toMatchObject({ code: "store.image-missing" });
    expect(await store.discover(`${name}@sha256:${digestOf("image")}`, call)).toEqual([]);
  });

  test("a registry's refusal has a retry class here too", async () => {
    const registry = memoryRegistry();
    registry.before = () => answer(403);
    expect(await failure(backend(registry).discover(`${name}:v1`, call))).toMatchObject({
      code: "store.registry-denied",
      retry: "counted",
    });
  });
});
