import { createHash } from "node:crypto";
import { registry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Ask, request, startDockerRegistry, startOciRegistry } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** The same requests to packages/testing's registry and to two real ones: statuses and the headers that clients read must agree. */
interface Side {
  readonly url: string;
  stop(): Promise<void>;
}

let ours: Side;
let cue: Side;
let docker: Side;
beforeAll(async () => {
  const made = await registry();
  ours = { url: made.url, stop: made.close };
  [cue, docker] = await Promise.all([startOciRegistry(), startDockerRegistry()]);
});
afterAll(() => Promise.all([ours, cue, docker].map((side) => side?.stop())));

const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const octets = { "content-type": "application/octet-stream" };
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 };
const layer = { mediaType: "application/octet-stream", digest: digestOf("hello"), size: 5 };
const image = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: empty, layers: [layer] });
const subject = { mediaType: manifestType, digest: digestOf(image), size: image.length };
const about = (artifactType: string): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: manifestType, artifactType, config: empty, layers: [layer], subject });

type AskV2 = (path: string, ask?: Ask) => Promise<Answer>;
const told = ({ status, headers }: Answer, ...names: string[]): unknown => [status, ...names.map((name) => headers[name])];

/** The place of an upload, wherever the registry says it is. */
function uploadPlace(side: Side, opened: Answer): URL {
  return new URL(`${opened.headers["location"]}`, side.url);
}

async function pushBlob(side: Side, ask: AskV2, text: string): Promise<unknown> {
  const opened = await ask("blobs/uploads/", { method: "POST" });
  const place = uploadPlace(side, opened);
  place.searchParams.set("digest", digestOf(text));
  const put = await request(place.href, { method: "PUT", body: text, headers: octets });
  return [told(opened), told(put, "docker-content-digest")];
}
const pushManifest = (ask: AskV2, reference: string, body: string): Promise<Answer> =>
  ask(`manifests/${reference}`, { method: "PUT", body, headers: { "content-type": manifestType } });

async function agree(others: readonly Side[], repository: string, story: (side: Side, ask: AskV2) => Promise<unknown>): Promise<void> {
  const run = (side: Side): Promise<unknown> => story(side, (path, ask) => request(`${side.url}/v2/${repository}/${path}`, ask));
  const answer = await run(ours);
  for (const other of others) expect(answer, "ours (received) must answer like the real one (expected)").toEqual(await run(other));
}

describe("blobs and manifests", () => {
  test("push, read, head, by tag and by digest", () =>
    agree([cue, docker], "one/app", async (side, ask) => {
      const pushed = [await pushBlob(side, ask, "{}"), await pushBlob(side, ask, "hello")];
      const put = await pushManifest(ask, "v1", image);
      const get = await ask("manifests/v1", { headers: { accept: manifestType } });
      const head = await ask(`manifests/${digestOf(image)}`, { method: "HEAD", headers: { accept: manifestType } });
      const blob = await ask(`blobs/${layer.digest}`);
      const names = ["docker-content-digest", "content-type", "content-length"] as const;
      return [pushed, told(put, "docker-content-digest"), told(get, ...names), get.text, told(head, ...names), told(blob), blob.text];
    }));

  test("an upload in pieces", () =>
    agree([docker], "two/app", async (side, ask) => {
      const opened = await ask("blobs/uploads/", { method: "POST" });
      const patched = await request(uploadPlace(side, opened).href, { method: "PATCH", body: "hel", headers: octets });
      const place = uploadPlace(side, patched);
      place.searchParams.set("digest", layer.digest);
      const put = await request(place.href, { method: "PUT", body: "lo", headers: octets });
      return [told(opened), told(patched, "range"), told(put, "docker-content-digest"), (await ask(`blobs/${layer.digest}`)).text];
    }));

  test("what is not there, or not what it says", () =>
    agree([docker], "three/app", async (side, ask) => {
      await pushBlob(side, ask, "{}");
      const opened = await ask("blobs/uploads/", { method: "POST" });
      const place = uploadPlace(side, opened);
      place.searchParams.set("digest", digestOf("other"));
      return [
        told(await ask("manifests/none")),
        told(await ask(`manifests/${digestOf("none")}`)),
        told(await ask(`blobs/${digestOf("none")}`)),
        told(await request(place.href, { method: "PUT", body: "hello", headers: octets })),
        (await pushManifest(ask, "v1", image)).status >= 400,
        (
          await pushManifest(
            ask,
            digestOf("other"),
            JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: empty, layers: [] }),
          )
        ).status,
      ];
    }));

  test("tags and deletion", () =>
    agree([cue], "four/app", async (side, ask) => {
      await pushBlob(side, ask, "{}");
      await pushBlob(side, ask, "hello");
      for (const tag of ["b", "a"]) await pushManifest(ask, tag, image);
      const tags = async (): Promise<unknown> => (await ask("tags/list")).json<{ tags: readonly string[] | null }>().tags;
      const before = await tags();
      const gone = await ask(`manifests/${digestOf(image)}`, { method: "DELETE" });
      return [before, told(gone), told(await ask("manifests/a"))];
    }));
});

describe("referrers", () => {
  test("listed and filtered", () =>
    agree([cue], "five/app", async (side, ask) => {
      await pushBlob(side, ask, "{}");
      await pushBlob(side, ask, "hello");
      await pushManifest(ask, "v1", image);
      const pushed = [await pushManifest(ask, digestOf(about("a/one")), about("a/one")), await pushManifest(ask, "x", about("a/two"))];
      const list = async (query = ""): Promise<unknown> => {
        const answer = await ask(`referrers/${subject.digest}${query}`);
        const { manifests } = answer.json<{ manifests: readonly { readonly digest: string }[] }>();
        const sorted = [...manifests].sort((a, b) => a.digest.localeCompare(b.digest));
        return [told(answer, "content-type", "oci-filters-applied"), sorted];
      };
      const all = [await list(), await list("?artifactType=a/one"), (await ask(`referrers/${digestOf("nobody")}`)).status];
      return [pushed.map((one) => told(one, "oci-subject")), all];
    }));

  test("without the API: 404, and no word about the subject", async () => {
    const made = await registry({ referrers: false });
    const [without, real] = [{ url: made.url, stop: made.close }, docker];
    const answers = [without, real].map(async (side) => {
      const ask: AskV2 = (path, how) => request(`${side.url}/v2/six/app/${path}`, how);
      await pushBlob(side, ask, "{}");
      await pushBlob(side, ask, "hello");
      await pushManifest(ask, "v1", image);
      return [told(await pushManifest(ask, "x", about("a/one")), "oci-subject"), told(await ask(`referrers/${subject.digest}`))];
    });
    const [one, other] = await Promise.all(answers);
    expect(one).toEqual(other);
    await made.close();
  });
});
