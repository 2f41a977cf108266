import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { type Registry, type RegistryOptions, registry } from "./registry.ts";

let made: Registry;
afterEach(() => made?.close());
const start = async (options?: RegistryOptions): Promise<Registry> => {
  made = await registry(options);
  return made;
};
interface Listed {
  readonly manifests: readonly { readonly artifactType: string; readonly annotations?: Readonly<Record<string, string>> }[];
}
const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`${made.url}/v2/team/app/${path}`, init);
const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const manifestType = "application/vnd.oci.image.manifest.v1+json";

async function pushBlob(text: string): Promise<{ mediaType: string; digest: string; size: number }> {
  const answer = await ask(`blobs/uploads/?digest=${digestOf(text)}`, { method: "POST", body: text });
  expect(answer.status).toBe(201);
  return { mediaType: "application/octet-stream", digest: digestOf(text), size: text.length };
}
const pushManifest = (reference: string, manifest: object): Promise<Response> =>
  ask(`manifests/${reference}`, { method: "PUT", body: JSON.stringify(manifest), headers: { "content-type": manifestType } });

describe("blobs", () => {
  test("in one POST, and read again", async () => {
    await start();
    const { digest } = await pushBlob("hello");
    const got = await ask(`blobs/${digest}`);
    expect([got.status, await got.text(), got.headers.get("docker-content-digest")]).toEqual([200, "hello", digest]);
    const head = await ask(`blobs/${digest}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "5", ""]);
    expect((await ask(`blobs/${digestOf("other")}`)).status).toBe(404);
  });

  test("in pieces, through the place the registry names", async () => {
    await start({ monolithic: false });
    const opened = await ask(`blobs/uploads/?digest=${digestOf("hello")}`, { method: "POST", body: "ignored" });
    expect(opened.status).toBe(202);
    const place = made.url + opened.headers.get("location");
    const patched = await fetch(place, { method: "PATCH", body: "hel" });
    expect([patched.status, patched.headers.get("range")]).toEqual([202, "0-2"]);
    expect((await fetch(`${place}?digest=${digestOf("hello")}`, { method: "PUT", body: "lo" })).status).toBe(201);
    expect(await (await ask(`blobs/${digestOf("hello")}`)).text()).toBe("hello");
    expect((await fetch(`${place}?digest=${digestOf("hello")}`, { method: "PUT" })).status).toBe(404);
  });

  test("mounted from another repository, or not under a wrong digest", async () => {
    await start();
    const { digest } = await pushBlob("hello");
    const other = `${made.url}/v2/other/app/blobs/uploads/?mount=${digest}&from=team/app`;
    expect((await fetch(other, { method: "POST" })).status).toBe(201);
    expect((await ask(`blobs/uploads/?digest=${digestOf("x")}`, { method: "POST", body: "y" })).status).toBe(400);
    expect((await ask(`blobs/${digest}`, { method: "DELETE" })).status).toBe(202);
    expect((await ask(`blobs/${digest}`)).status).toBe(404);
  });
});

describe("manifests", () => {
  test("by tag and digest, with all their blobs or not at all", async () => {
    await start();
    const manifest = { schemaVersion: 2, config: { mediaType: "a/b", digest: digestOf("{}"), size: 2 }, layers: [] };
    expect((await pushManifest("v1", manifest)).status).toBe(404);
    await pushBlob("{}");
    const pushed = await pushManifest("v1", manifest);
    const digest = digestOf(JSON.stringify(manifest));
    expect([pushed.status, pushed.headers.get("docker-content-digest")]).toEqual([201, digest]);
    for (const reference of ["v1", digest]) {
      const got = await ask(`manifests/${reference}`);
      expect([got.status, got.headers.get("content-type"), await got.text()]).toEqual([200, manifestType, JSON.stringify(manifest)]);
    }
    expect((await pushManifest(digestOf("other"), manifest)).status).toBe(400);
    expect(made.manifest("team/app", "v1")?.digest).toBe(digest);
  });

  test("deleting a tag leaves the manifest, deleting the manifest takes its tags", async () => {
    await start();
    const digest = made.seedImage("team/app", "v1");
    expect((await ask("manifests/v1", { method: "DELETE" })).status).toBe(202);
    expect((await ask(`manifests/${digest}`)).status).toBe(200);
    const other = made.seedImage("team/app", "v2");
    expect((await ask(`manifests/${other}`, { method: "DELETE" })).status).toBe(202);
    expect((await ask("manifests/v2")).status).toBe(404);
  });

  test("tags come in pages", async () => {
    await start();
    expect((await ask("tags/list")).status).toBe(404);
    for (const tag of ["c", "a", "b"]) made.seedImage("team/app", tag);
    const first = await ask("tags/list?n=2");
    expect(await first.json()).toEqual({ name: "team/app", tags: ["a", "b"] });
    const [, next = ""] = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
    expect(await (await fetch(made.url + next)).json()).toEqual({ name: "team/app", tags: ["c"] });
  });
});

describe("referrers", () => {
  test("are listed by subject, and filtered by type", async () => {
    await start();
    const subject = { mediaType: manifestType, digest: made.seedImage("team/app"), size: 1 };
    const config = { ...(await pushBlob("{}")), mediaType: "application/vnd.oci.empty.v1+json" };
    const pushed = await pushManifest("x", {
      schemaVersion: 2,
      artifactType: "a/one",
      config,
      layers: [],
      subject,
      annotations: { k: "v" },
    });
    expect(pushed.headers.get("oci-subject")).toBe(subject.digest);
    await pushManifest("y", { schemaVersion: 2, config, layers: [], subject });
    const listed = async (answer: Response): Promise<Listed> => (await answer.json()) as Listed;
    const all = await listed(await ask(`referrers/${subject.digest}`));
    expect(all.manifests.map((one) => one.artifactType)).toEqual(["a/one", config.mediaType]);
    expect(all.manifests[0]?.annotations).toEqual({ k: "v" });
    const some = await ask(`referrers/${subject.digest}?artifactType=a/one`);
    expect([(await listed(some)).manifests.length, some.headers.get("oci-filters-applied")]).toEqual([1, "artifactType"]);
    expect((await listed(await ask(`referrers/${digestOf("nobody")}`))).manifests).toEqual([]);
  });

  test("can be missing, as in registries of old", async () => {
    await start({ referrers: false });
    const digest = made.seedImage("team/app");
    expect((await ask(`referrers/${digest}`)).status).toBe(404);
  });
});

describe("the door", () => {
  const users = { robot: "s3cret" };

  test("Bearer: a challenge, a token for this repository and this act, nothing else", async () => {
    await start({ auth: { scheme: "bearer", users, anonymous: "pull" } });
    made.seedImage("team/app", "v1");
    const refused = await ask("manifests/v1");
    expect(refused.status).toBe(401);
    const [, realm, scope] = /realm="(.*?)",service="testing",scope="(.*?)"/.exec(refused.headers.get("www-authenticate") ?? "") ?? [];
    expect(scope).toBe("repository:team/app:pull");
    const tokenFor = async (wanted: string, login?: string): Promise<Response> =>
      fetch(`${realm}?service=testing&scope=${wanted}`, { headers: login ? { authorization: `Basic ${btoa(login)}` } : {} });
    const granted = async (answer: Promise<Response>): Promise<{ token: string }> => (await (await answer).json()) as { token: string };
    const pull = await granted(tokenFor(`${scope}`));
    const withToken = (token: string, method = "GET"): Promise<Response> =>
      ask(method === "GET" ? "manifests/v1" : "blobs/uploads/", { method, headers: { authorization: `Bearer ${token}` } });
    expect((await withToken(pull.token)).status).toBe(200);
    expect((await withToken(pull.token, "POST")).status).toBe(401);
    const anonymousPush = await granted(tokenFor("repository:team/app:pull,push"));
    expect((await withToken(anonymousPush.token, "POST")).status).toBe(401);
    const push = await granted(tokenFor("repository:team/app:pull,push", "robot:s3cret"));
    expect((await withToken(push.token, "POST")).status).toBe(202);
    const elsewhere = await granted(tokenFor("repository:other:pull,push", "robot:s3cret"));
    expect((await withToken(elsewhere.token, "POST")).status).toBe(401);
    expect((await tokenFor("repository:team/app:pull", "robot:wrong")).status).toBe(401);
  });

  test("Basic: the right password, or a challenge", async () => {
    await start({ auth: { scheme: "basic", users } });
    const login = (text: string): Promise<number> =>
      fetch(`${made.url}/v2/`, { headers: { authorization: `Basic ${btoa(text)}` } }).then((answer) => answer.status);
    expect((await fetch(`${made.url}/v2/`)).headers.get("www-authenticate")).toMatch(/^Basic/);
    expect(await Promise.all([login("robot:s3cret"), login("robot:no"), login("toString:no")])).toEqual([200, 401, 401]);
  });
});

test("every request is counted with its answer", async () => {
  await start();
  made.seedImage("team/app", "v1");
  await ask("manifests/v1");
  await ask("manifests/v2");
  expect(made.seen).toEqual([
    { method: "GET", path: "/v2/team/app/manifests/v1", status: 200 },
    { method: "GET", path: "/v2/team/app/manifests/v2", status: 404 },
  ]);
});
