import { http } from "@countersign/http";
import { afterEach, describe, expect, test } from "vitest";
import { type Credential, type OpenRepository, RegistryError, type RegistryOptions, registries, sha256Of } from "./index.ts";
import { type FakeRegistry, type FakeRegistryOptions, fakeRegistry } from "./registry.fixture.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function fake(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const made = await fakeRegistry(options);
  cleanUp.push(() => made.close());
  return made;
}
function all(options: Partial<RegistryOptions> = {}): ReturnType<typeof registries> {
  const wire = http({ env: {}, backOffMs: () => 1 });
  cleanUp.push(() => wire.close());
  return registries({ http: wire, ...options });
}
const call = { signal: new AbortController().signal };
const basic = (username: string, password: string): Credential => ({ kind: "basic", username, password, source: `Secret ci/${username}` });
const open = ({ host }: FakeRegistry, credentials: readonly Credential[] = [], from = all()): OpenRepository =>
  from.open({ registry: host, repository: "team/app" }, credentials, "pull,push");
const failure = async (promise: Promise<unknown>): Promise<RegistryError> => {
  const error = await promise.then(
    () => new Error("no failure"),
    (error) => error,
  );
  expect(error).toBeInstanceOf(RegistryError);
  return error;
};
const manifest = (text = "{}"): { mediaType: string; bytes: Uint8Array } => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  bytes: Buffer.from(text),
});
const users = { pusher: { password: "pw", may: ["pull", "push"] }, reader: { password: "pw", may: ["pull"] } } as const;

describe("manifests and blobs", () => {
  test("put and get by tag and by digest; what is absent is undefined", async () => {
    const repository = open(await fake());
    expect(await repository.manifest("v1", call)).toBeUndefined();
    expect(await repository.digestOf("v1", call)).toBeUndefined();
    const digest = await repository.putManifest("v1", manifest(), call);
    expect(await repository.manifest("v1", call)).toMatchObject({ digest, mediaType: "application/vnd.oci.image.manifest.v1+json" });
    expect(await repository.manifest(digest, call)).toMatchObject({ digest });
    expect(await repository.digestOf("v1", call)).toBe(digest);
  });

  test.each([true, false])("a blob, where one request is enough: %s", async (monolithic) => {
    const registry = await fake({ monolithic });
    const repository = open(registry);
    const bytes = Buffer.from("hello");
    expect(await repository.hasBlob(sha256Of(bytes), call)).toBe(false);
    expect(await repository.putBlob(bytes, call)).toBe(sha256Of(bytes));
    expect(await repository.hasBlob(sha256Of(bytes), call)).toBe(true);
    expect(await repository.blob(sha256Of(bytes), call)).toEqual(bytes);
    const uploads = registry.seen.filter((line) => line.includes("uploads"));
    expect(uploads.length).toBe(monolithic ? 1 : 2);
  });

  test("a registry that wants a session is not sent the bytes twice again", async () => {
    const sizes: number[] = [];
    const registry = await fake({
      monolithic: false,
      before: (request) => {
        if (request.method === "POST") sizes.push(Number(request.headers["content-length"]));
        return false;
      },
    });
    const repository = open(registry);
    await repository.putBlob(Buffer.from("first"), call);
    await repository.putBlob(Buffer.from("second"), call);
    expect(sizes).toEqual([5, 0]);
  });

  test.each([400, 405, 413, 501])("a registry that answers %i to a blob in one request gets a session", async (status) => {
    const registry = await fake({
      monolithic: false,
      before: (request, response) => {
        if (request.method !== "POST" || !request.url?.includes("digest=")) return false;
        response.writeHead(status).end();
        return true;
      },
    });
    const repository = open(registry);
    const first = await repository.putBlob(Buffer.from("first"), call);
    await repository.putBlob(Buffer.from("second"), call);
    expect(await repository.hasBlob(first, call)).toBe(true);
    const uploads = registry.seen.filter((line) => line.includes("uploads"));
    expect(uploads.length).toBe((status === 501 ? 3 : 1) + 2 + 2);
  });

  test("bytes that are not what their digest says are refused", async () => {
    const registry = await fake();
    const repository = open(registry);
    const digest = await repository.putBlob(Buffer.from("good"), call);
    registry.blobs.set(`team/app/${digest}`, Buffer.from("evil"));
    expect((await failure(repository.blob(digest, call))).message).toContain("another digest");
    const named = await repository.putManifest("v1", manifest(), call);
    registry.manifests.set(`team/app/${named}`, { type: "x", bytes: Buffer.from("evil") });
    expect((await failure(repository.manifest(named, call))).message).toContain("another digest");
  });

  test("caps: a manifest over 4 MiB, a blob over what the caller takes", async () => {
    const registry = await fake();
    const repository = open(registry);
    registry.manifests.set("team/app/huge", { type: "x", bytes: Buffer.alloc(4 * 2 ** 20 + 1) });
    expect(await failure(repository.manifest("huge", call))).toMatchObject({ outage: false });
    const digest = await repository.putBlob(Buffer.alloc(100), call);
    expect(await failure(repository.blob(digest, { ...call, maxBytes: 99 }))).toMatchObject({ outage: false });
  });

  test("a blob that lives elsewhere is fetched from there, without credentials", async () => {
    const store = await fake();
    const bytes = Buffer.from("far away");
    store.blobs.set(`x/${sha256Of(bytes)}`, bytes);
    const registry = await fake({
      auth: "basic",
      users,
      before: (request, response) => {
        if (!request.url?.includes("/blobs/") || !request.headers.authorization) return false;
        response.writeHead(307, { location: `http://${store.host}/v2/x/blobs/${sha256Of(bytes)}` }).end();
        return true;
      },
    });
    expect(await open(registry, [basic("pusher", "pw")]).blob(sha256Of(bytes), call)).toEqual(bytes);
    expect(store.authorizations).toEqual([]);
  });

  test.each([true, false])("what a tag names, where the registry says little: %s", async (terse) => {
    const repository = open(await fake({ terse }));
    expect(await repository.describe("v1", call)).toBeUndefined();
    const digest = await repository.putManifest("v1", manifest(), call);
    expect(await repository.describe("v1", call)).toEqual({ mediaType: manifest().mediaType, size: 2, digest });
    expect(await repository.digestOf("v1", call)).toBe(digest);
  });

  test("a write over something else than was read is refused where the registry minds it, and is no outage", async () => {
    const repository = open(await fake({ etags: true }));
    await repository.putManifest("v1", manifest(), call);
    const { etag } = (await repository.manifest("v1", call)) ?? {};
    await repository.putManifest("v1", manifest('{"a":1}'), { ...call, ifMatch: etag });
    expect(await failure(repository.putManifest("v1", manifest('{"b":1}'), { ...call, ifMatch: etag }))).toMatchObject({
      status: 412,
      outage: false,
    });
    const careless = open(await fake());
    await careless.putManifest("v1", manifest(), { ...call, ifMatch: "x" });
    expect(await careless.manifest("v1", call)).not.toHaveProperty("etag");
  });

  test("a registry that goes silent, and one that never begins, are outages within the limits given", async () => {
    for (const [limits, at] of [
      [{ requestMs: 50, totalMs: 10_000 }, "head"],
      [{ requestMs: 50, totalMs: 10_000 }, "body"],
      [{ totalMs: 100 }, "head"],
    ] as const) {
      const registry = await fake({
        before: (request, response) => {
          if (request.url === "/v2/") return false;
          if (at === "body") response.writeHead(200, { "content-type": "x" }).write("{");
          return true;
        },
      });
      const start = performance.now();
      expect(await failure(open(registry, [], all(limits)).manifest("v1", call))).toMatchObject({ outage: true });
      expect(performance.now() - start).toBeLessThan(5_000);
    }
  });

  test("the cap on manifests is the caller's to choose", async () => {
    const registry = await fake();
    registry.manifests.set("team/app/v1", { type: "x", bytes: Buffer.alloc(101) });
    expect(await failure(open(registry, [], all({ maxManifestBytes: 100 })).manifest("v1", call))).toMatchObject({ outage: false });
    expect(await open(registry, [], all({ maxManifestBytes: 101 })).manifest("v1", call)).toBeDefined();
  });

  test("tags, page by page; none where there is no repository", async () => {
    const registry = await fake();
    const repository = open(registry);
    for (const tag of ["e", "a", "d", "b", "c"]) await repository.putManifest(tag, manifest(), call);
    expect(await repository.tags(call)).toEqual(["a", "b", "c", "d", "e"]);
    expect(registry.seen.filter((line) => line.includes("tags/list")).length).toBe(3);
  });

  test.each([true, false])("referrers, with the API: %s", async (referrersApi) => {
    const registry = await fake({ referrersApi });
    const repository = open(registry);
    const subject = `sha256:${"a".repeat(64)}`;
    const one = { schemaVersion: 2, artifactType: "x/y", subject: { digest: subject } };
    const digest = await repository.putManifest(sha256Of(Buffer.from(JSON.stringify(one))), manifest(JSON.stringify(one)), call);
    const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", size: 1, digest, artifactType: "x/y" };
    if (!referrersApi)
      await repository.putManifest(subject.replace(":", "-"), manifest(JSON.stringify({ schemaVersion: 2, manifests: [entry] })), call);
    expect((await repository.referrers(subject, call)).map((found) => found.digest)).toEqual([digest]);
    expect(await repository.referrers(subject, { ...call, artifactType: "x/y" })).toHaveLength(1);
    expect(await repository.referrers(subject, { ...call, artifactType: "other" })).toHaveLength(0);
    expect(await repository.referrers(`sha256:${"b".repeat(64)}`, call)).toEqual([]);
  });

  test.each([
    [{ referrersApi: true }, "registry", true],
    [{ referrersApi: true, saysSubject: false }, "registry", false],
    [{ referrersApi: false }, "tag", false],
  ] as const)("who keeps the list of referrers, with %o: the %s; a push says so: %s", async (manners, keptBy, listed) => {
    const registry = await fake(manners);
    const repository = open(registry);
    const subject = { mediaType: "m", size: 1, digest: `sha256:${"a".repeat(64)}` };
    const put = await repository.putReferrer(manifest(JSON.stringify({ schemaVersion: 2, subject })), call);
    expect(put).toEqual({ digest: expect.stringMatching(/^sha256:/), listed });
    expect(await repository.listReferrers(subject.digest, call)).toMatchObject({ keptBy });
    expect(registry.seen.filter((line) => line.includes("/sha256-"))).toHaveLength(keptBy === "tag" ? 1 : 0);
    expect(await repository.listReferrers(subject.digest, { ...call, apiOnly: true })).toMatchObject({ keptBy });
    expect(registry.seen.filter((line) => line.includes("/sha256-"))).toHaveLength(keptBy === "tag" ? 1 : 0);
    expect(
      registry.seen.filter((line) => line.includes("/referrers/")),
      "an API that is not there is asked for once",
    ).toHaveLength(keptBy === "tag" ? 1 : 2);
  });

  test("a repository that is not there says nothing about its registry", async () => {
    let status = 404;
    const registry = await fake({
      before: (request, response) => {
        if (!request.url?.includes("/referrers/")) return false;
        response.writeHead(status).end(JSON.stringify({ errors: [{ code: "NAME_UNKNOWN" }] }));
        return true;
      },
    });
    const repository = open(registry);
    const digest = `sha256:${"a".repeat(64)}`;
    for (let i = 0; i < 2; i += 1) expect(await repository.referrers(digest, call)).toEqual([]);
    expect(registry.seen.filter((line) => line.includes("/referrers/"))).toHaveLength(2);
    status = 500;
    expect(await failure(repository.referrers(digest, call))).toMatchObject({ outage: true });
  });

  test.each([
    [400, {}],
    [406, {}],
    [303, { location: "https://web.example/" }],
    [200, { "content-type": "text/html" }],
  ] as const)("%i with %o is how some say that they have no API", async (status, headers) => {
    const registry = await fake({
      before: (request, response) => {
        if (!request.url?.includes("/referrers/")) return false;
        response.writeHead(status, headers).end("<html>");
        return true;
      },
    });
    const digest = `sha256:${"a".repeat(64)}`;
    for (let i = 0; i < 2; i += 1) expect(await open(registry).listReferrers(digest, call)).toMatchObject({ keptBy: "tag", referrers: [] });
  });

  test("many who come at once greet once, and fetch one token", async () => {
    const registry = await fake({ auth: "bearer", users });
    const from = all();
    const repositories = Array.from({ length: 5 }, () => open(registry, [basic("pusher", "pw")], from));
    await Promise.all(repositories.map((repository) => repository.manifest("v1", call)));
    expect(registry.seen.filter((line) => line === "GET /v2/")).toHaveLength(1);
    expect(registry.seen.filter((line) => line === "GET /token")).toHaveLength(1);
  });
});

describe("credentials", () => {
  test.each(["basic", "bearer"] as const)("%s: the right user may push, and is asked to identify himself once", async (auth) => {
    const registry = await fake({ auth, users });
    const repository = open(registry, [basic("pusher", "pw")]);
    await repository.putBlob(Buffer.from("x"), call);
    await repository.putManifest("v1", manifest(), call);
    expect(registry.seen.map((line) => line.replace(/\d+$/, ""))).toEqual([
      "GET /v2/",
      ...(auth === "bearer" ? ["GET /token"] : []),
      "POST /v2/team/app/blobs/uploads/",
      "PUT /v2/team/app/manifests/v",
    ]);
  });

  test.each(["basic", "bearer"] as const)("%s: candidates are tried until one is let in", async (auth) => {
    const registry = await fake({ auth, users });
    const candidates = [basic("pusher", "wrong"), basic("reader", "pw"), basic("pusher", "pw")];
    const repository = open(registry, candidates);
    expect(await repository.manifest("v1", call)).toBeUndefined();
    await repository.putManifest("v1", manifest(), call);
    expect(await repository.digestOf("v1", call)).toBeDefined();
  });

  test("who was let in is named, in the end the one who may write", async () => {
    const registry = await fake({ auth: "basic", users });
    const repository = open(registry, [basic("reader", "pw"), { ...basic("pusher", "pw"), source: "secret ci/push" }]);
    expect(repository.admitted).toBeUndefined();
    await repository.manifest("v1", call);
    expect(repository.admitted).toBe("Secret ci/reader");
    await repository.putManifest("v1", manifest(), call);
    expect(repository.admitted).toBe("secret ci/push");
    const free = open(await fake(), [basic("pusher", "pw")]);
    await free.putManifest("v1", manifest(), call);
    expect(free.admitted).toBeUndefined();
  });

  test("all refused: each is named with what was asked for, and nothing of the answer's text or of the password", async () => {
    const registry = await fake({ auth: "basic", users });
    const error = await failure(open(registry, [basic("nobody", "hunter2"), basic("reader", "pw")]).putManifest("v1", manifest(), call));
    expect(error).toMatchObject({ status: 403, code: "DENIED", credentialSource: "Secret ci/reader", outage: false });
    expect(error.message).toBe(
      `PUT manifest ${registry.host}/team/app:v1: the registry answered 403 DENIED to Secret ci/nobody and Secret ci/reader, asked for repository:team/app:pull,push; one of them must be allowed to do that`,
    );
  });

  test("anonymous tokens", async () => {
    const registry = await fake({ auth: "bearer", users, anonymous: ["pull"] });
    const repository = open(registry);
    expect(await repository.manifest("v1", call)).toBeUndefined();
    expect(await failure(repository.putManifest("v1", manifest(), call))).toMatchObject({ status: 401 });
    expect(registry.authorizations.every((header) => header.startsWith("Bearer "))).toBe(true);
  });

  test("a registry that asks for nothing is told nothing", async () => {
    const registry = await fake();
    await open(registry, [basic("pusher", "pw")]).putManifest("v1", manifest(), call);
    expect(registry.authorizations).toEqual([]);
  });

  test("what a registry hides from strangers is not taken for absent", async () => {
    // Some registries answer 404 to strangers: a tag taken for absent would be overwritten with our layer alone.
    const registry = await fake({
      auth: "basic",
      users,
      before: (request, response) => {
        if (request.url === "/v2/" || request.headers.authorization) return false;
        response.writeHead(404).end();
        return true;
      },
    });
    registry.manifests.set("team/app/v1", { type: "t", bytes: Buffer.from("{}") });
    expect(await open(registry, [basic("pusher", "pw")]).manifest("v1", call)).toBeDefined();
  });

  test("an identity token is exchanged, a registry token is used as it is", async () => {
    const registry = await fake({ auth: "bearer", users });
    await open(registry, [{ kind: "identity-token", token: "refresh-me", source: "s" }]).putManifest("v1", manifest(), call);
    expect(registry.seen).toContain("POST /token");
    const token = registry.authorizations.at(-1)?.replace("Bearer ", "") ?? "";
    await open(registry, [{ kind: "registry-token", token, source: "s" }]).putManifest("v2", manifest(), call);
    const wrong = open(registry, [{ kind: "identity-token", token: "no", source: "s" }]);
    expect(await failure(wrong.putManifest("v3", manifest(), call))).toMatchObject({ status: 401 });
  });

  test("one user's token never serves another, though registry, repository and actions are the same", async () => {
    const registry = await fake({ auth: "bearer", users });
    const from = all();
    await open(registry, [basic("pusher", "pw")], from).putManifest("v1", manifest(), call);
    expect(await failure(open(registry, [basic("reader", "pw")], from).putManifest("v1", manifest(), call))).toMatchObject({ status: 401 });
    await open(registry, [basic("pusher", "pw")], from).putManifest("v1", manifest(), call);
    // pusher once; reader once, and once more in case only the token had run out
    expect(registry.seen.filter((line) => line === "GET /token").length).toBe(3);
  });

  test("a token that has run out is replaced", async () => {
    let revoked = false;
    const registry = await fake({
      auth: "bearer",
      users,
      before: (request, response) => {
        if (!revoked || request.headers.authorization !== "Bearer t0") return false;
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
        return true;
      },
    });
    const repository = open(registry, [basic("pusher", "pw")]);
    await repository.putManifest("v1", manifest(), call);
    revoked = true;
    await repository.putManifest("v2", manifest(), call);
    expect(registry.authorizations.at(-1)).toBe("Bearer t1");
  });

  test("a realm without TLS is refused by a registry with TLS, and so is no realm", async () => {
    const answers: Record<string, string> = { realm: 'Bearer realm="http://evil.example/token"', none: 'Bearer realm="::"' };
    for (const [repository, challenge] of Object.entries(answers)) {
      const stub = {
        request: async ({ url }: { url: string | URL }) => ({
          status: new URL(url).host === "registry.example" ? 401 : 200,
          headers: { "www-authenticate": challenge },
          body: new Uint8Array(),
        }),
        stream: () => Promise.reject(new Error("not needed")),
        close: async () => undefined,
      };
      const through = registries({ http: stub }).open({ registry: "registry.example", repository }, [basic("a", "hunter2")], "pull");
      const error = await failure(through.manifest("v1", call));
      expect(error.message).toMatch(/without TLS|no usable token service/);
      expect(error.message).not.toContain("hunter2");
    }
  });
});

describe("trouble", () => {
  test.each([500, 502, 503, 429, 408])("%i is an outage, with its Retry-After", async (status) => {
    const registry = await fake({
      before: (request, response) => {
        if (request.url === "/v2/") return false;
        response.writeHead(status, { "retry-after": "60" }).end();
        return true;
      },
    });
    expect(await failure(open(registry).manifest("v1", call))).toMatchObject({ status, outage: true, retryAfterMs: 60_000 });
  });

  test.each([400, 405, 413])("%i is an answer", async (status) => {
    const registry = await fake({
      before: (request, response) => {
        if (request.method === "GET") return false;
        response.writeHead(status).end();
        return true;
      },
    });
    expect(await failure(open(registry).putManifest("v1", manifest(), call))).toMatchObject({ status, outage: false });
    expect(await failure(open(registry).putBlob(Buffer.from("x"), call))).toMatchObject({ status, outage: false });
  });

  test.each(["<b>hunter2</b>", "denied hunter2", "A".repeat(100), 7, null])("%j is no error code worth repeating", async (code) => {
    const registry = await fake({
      before: (request, response) => {
        if (request.url === "/v2/") return false;
        response.writeHead(400).end(JSON.stringify({ errors: [{ code }] }));
        return true;
      },
    });
    const error = await failure(open(registry).manifest("v1", call));
    expect(error.code).toBeUndefined();
    expect(error.message).toBe(`GET manifest ${registry.host}/team/app:v1: the registry answered 400`);
  });

  test("nobody there is an outage; the sentence says who", async () => {
    const registry = await fake();
    registry.close();
    const error = await failure(open(registry).manifest("v1", call));
    expect(error).toMatchObject({ outage: true, status: undefined });
    expect(error.message).toContain(`GET manifest ${registry.host}/team/app:v1`);
  });

  test("a registry that recovers is found again", async () => {
    let down = true;
    const registry = await fake({
      before: (_, response) => {
        if (down) response.socket?.destroy();
        return down;
      },
    });
    const repository = open(registry);
    expect(await failure(repository.manifest("v1", call))).toMatchObject({ outage: true });
    down = false;
    expect(await repository.manifest("v1", call)).toBeUndefined();
  });

  test("an abort is nobody's failure", async () => {
    const registry = await fake({ before: (request) => request.url !== "/v2/" });
    const stop = new AbortController();
    setTimeout(() => stop.abort("enough"), 30);
    await expect(open(registry).manifest("v1", { signal: stop.signal })).rejects.toBe("enough");
  });

  test("slow for ever meets the total", async () => {
    const registry = await fake({ before: (request) => request.url !== "/v2/" });
    expect(await failure(open(registry, [], all({ totalMs: 80 })).manifest("v1", call))).toMatchObject({ outage: true });
  });

  test("plain http is tried with local registries only, or when told", async () => {
    const wire = http({ env: {}, backOffMs: () => 1 });
    cleanUp.push(() => wire.close());
    const seen: string[] = [];
    const spy = {
      ...wire,
      request(request: Parameters<typeof wire.request>[0]) {
        seen.push(String(request.url));
        return wire.request({ ...request, tries: 1 });
      },
    };
    const place = { registry: "nowhere.invalid", repository: "a/b" };
    await failure(registries({ http: spy }).open(place, [], "pull").manifest("x", call));
    expect(seen).toEqual(["https://nowhere.invalid/v2/"]);
    await failure(registries({ http: spy, insecure: true }).open(place, [], "pull").manifest("x", call));
    expect(seen.slice(1)).toEqual(["https://nowhere.invalid/v2/", "http://nowhere.invalid/v2/"]);
  });
});
