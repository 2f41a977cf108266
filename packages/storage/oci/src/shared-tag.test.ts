import type { Attestation, Call } from "@countersign/core";
import type { HttpRequest } from "@countersign/http";
import { describe, expect, test } from "vitest";
import { attested, digestOf, image, statement, testKey } from "./attestations.fixture.ts";
import { ociStorage } from "./oci-storage.ts";
import { answer, type MemoryRegistry, memoryRegistry } from "./registry.fixture.ts";

const call: Call = { signal: new AbortController().signal };
const key = testKey();
const tag = `sha256-${digestOf("image")}.att`;
const about = (host: string, more: string): Attestation => attested(statement([image(`${host}/team/app`)], more), key);
const layersAt = (registry: MemoryRegistry, at: string): readonly { digest: string }[] =>
  JSON.parse(Buffer.from(registry.manifests.get(at)?.bytes ?? "{}").toString()).layers ?? [];
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error("no failure")),
    (error) => error,
  );

/** The same registry under many names: turns and boards go by name, so those who use different ones know nothing of each other. */
function underManyNames(registry: MemoryRegistry, delayMs: () => number): MemoryRegistry {
  return {
    ...registry,
    async request(request: HttpRequest) {
      await new Promise((resolve) => setTimeout(resolve, delayMs()));
      const url = new URL(request.url);
      url.host = "one.example";
      return registry.request({ ...request, url });
    },
  };
}

describe("processes that know nothing of each other", () => {
  test("thirty writers in three of them, each request held up: none is lost, none is there twice", { timeout: 30_000 }, async () => {
    const registry = memoryRegistry();
    const met = { moved: 0, lost: 0 };
    const storage = ociStorage({
      http: underManyNames(registry, () => Math.random() * 6),
      credentials: async () => [],
      lookAfterMs: () => 130, // longer than the span and two requests
      onContention: (_, what) => {
        met[what] += 1;
      },
    });
    const hosts = ["a.example", "b.example", "c.example"];
    await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
        await storage.store(about(hosts[n % 3] ?? "", `${n}`), call);
      }),
    );
    const layers = layersAt(registry, `one.example/team/app/${tag}`).map(({ digest }) => digest);
    expect(layers).toHaveLength(30);
    expect(new Set(layers).size).toBe(30);
    expect(met.moved, "they must have met").toBeGreaterThan(2);
  });

  test("a state that holds our work is not believed before it stays: somebody who read earlier may still write", async () => {
    const registry = memoryRegistry();
    const at = `one.example/team/app/${tag}`;
    const store = ociStorage({ http: registry, credentials: async () => [], lookAfterMs: () => 1 });
    // Theirs was read before ours was written; it comes between our first look, which sees a third one's write on top of ours, and the next.
    const theirs = memoryRegistry();
    await ociStorage({ http: theirs, credentials: async () => [], lookAfterMs: () => 1 }).store(about("one.example", "theirs"), call);
    let looks = 0;
    registry.before = (line) => {
      if (!line.startsWith("HEAD")) return undefined;
      looks += 1;
      const kept = registry.manifests.get(at);
      const late = theirs.manifests.get(at);
      if (looks === 1 && kept) {
        const manifest = JSON.parse(Buffer.from(kept.bytes).toString());
        manifest.layers.push({ mediaType: "x/y", size: 1, digest: `sha256:${digestOf("third")}` });
        registry.manifests.set(at, { type: kept.type, bytes: Buffer.from(JSON.stringify(manifest)) });
      }
      if (looks === 2 && late) {
        registry.manifests.set(at, late);
        for (const [name, bytes] of theirs.blobs) registry.blobs.set(name, bytes);
      }
      return undefined;
    };
    await store.store(about("one.example", "ours"), call);
    expect(layersAt(registry, at)).toHaveLength(2);
    expect(looks).toBeGreaterThan(2);
  });
});

test("slow between reading and writing: the registry is asked once more, and what came between is merged", async () => {
  const registry = memoryRegistry();
  const at = `one.example/team/app/${tag}`;
  const others = memoryRegistry();
  await ociStorage({ http: others, credentials: async () => [], lookAfterMs: () => 1 }).store(about("one.example", "other"), call);
  let first = true;
  registry.before = async (line) => {
    if (!line.startsWith("POST") || !first) return undefined;
    first = false;
    await new Promise((resolve) => setTimeout(resolve, 130));
    const other = others.manifests.get(at);
    if (other) registry.manifests.set(at, other);
    for (const [name, bytes] of others.blobs) registry.blobs.set(name, bytes);
    return undefined;
  };
  await ociStorage({ http: registry, credentials: async () => [], lookAfterMs: () => 1 }).store(about("one.example", "slow"), call);
  expect(layersAt(registry, at)).toHaveLength(2);
  expect(registry.seen.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
});

test("a registry that minds If-Match is sent it, and 412 is no failure", async () => {
  const registry = memoryRegistry();
  const at = `one.example/team/app/${tag}`;
  const sent: (string | undefined)[] = [];
  const etag = (): string => `"${digestOf(Buffer.from(registry.manifests.get(at)?.bytes ?? "").toString())}"`;
  const storage = ociStorage({
    credentials: async () => [],
    lookAfterMs: () => 1,
    http: {
      ...registry,
      async request(request) {
        const isTag = new URL(request.url).pathname.endsWith(tag);
        if (isTag && request.method === "PUT") {
          sent.push(request.headers?.["if-match"]);
          // Somebody wrote since it was read, once.
          if (sent.length === 2) return answer(412);
        }
        const given = await registry.request(request);
        return isTag && given.status === 200 ? { ...given, headers: { ...given.headers, etag: etag() } } : given;
      },
    },
  });
  await storage.store(about("one.example", "first"), call);
  const before = etag();
  await storage.store(about("one.example", "second"), call);
  expect(sent).toEqual([undefined, before, before]);
  expect(layersAt(registry, at)).toHaveLength(2);
});

test("who may not push gets nothing written by those who may, though they write for all who wait", async () => {
  const registry = memoryRegistry();
  const at = `one.example/team/app/${tag}`;
  const storage = ociStorage({
    http: {
      ...registry,
      async request(request) {
        const isMay = request.headers?.["authorization"] === `Basic ${Buffer.from("may:x").toString("base64")}`;
        const isKnown = request.headers?.["authorization"] !== undefined;
        // Long enough for the others to meet him on the board.
        if (request.method === "POST" && !isMay && isKnown) await new Promise((resolve) => setTimeout(resolve, 40));
        if (request.method === "POST" && !isMay) return answer(isKnown ? 403 : 401, "", { "www-authenticate": "Basic" });
        return registry.request(request);
      },
    },
    credentials: async (artifact) => [{ kind: "basic", username: artifact?.run.namespace ?? "", password: "x", source: "a test" }],
    lookAfterMs: () => 20,
  });
  const by = (namespace: string, more: string): Attestation => {
    const attestation = about("one.example", more);
    return { ...attestation, artifact: { ...attestation.artifact, run: { ...attestation.artifact.run, namespace } } };
  };
  const [first, refused, second] = await Promise.allSettled([
    storage.store(by("may", "first"), call),
    storage.store(by("may-not", "refused"), call),
    storage.store(by("may", "second"), call),
  ]);
  expect([first.status, second.status]).toEqual(["fulfilled", "fulfilled"]);
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "store.registry-denied" } });
  expect(layersAt(registry, at)).toHaveLength(2);
});

test("one who gives up in the middle is nobody's failure but his own", async () => {
  const registry = memoryRegistry();
  const storage = ociStorage({ http: registry, credentials: async () => [], lookAfterMs: () => 200 });
  const stop = new AbortController();
  const leaving = failure(storage.store(about("one.example", "leaves"), { signal: stop.signal }));
  const staying = storage.store(about("one.example", "stays"), call);
  setTimeout(() => stop.abort("enough"), 50);
  expect(await leaving).toBe("enough");
  await staying;
  const layers = layersAt(registry, `one.example/team/app/${tag}`).length;
  expect([1, 2], "what was written before he left may stay").toContain(layers);
});
