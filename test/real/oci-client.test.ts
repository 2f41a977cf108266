import { writeFileSync } from "node:fs";
import { type Http, http } from "@countersign/http";
import {
  type Descriptor,
  emptyType,
  fallbackTagOf,
  indexType,
  type OpenRepository,
  parseImageManifest,
  registries,
  sha256Of,
} from "@countersign/oci-client";
import { type Misbehaving, misbehave, registry as sandboxRegistry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDockerRegistry, startOciRegistry, tempFolder, tool } from "./harness/index.ts";
import "./harness/on-failure.ts";

/**
 * What the distribution specification asks of a client, against registries that share no line of code, each behind a door that wants a
 * token; and beside it crane and oras, which read what we push and push what we read. packages/oci-client/README.md points here.
 */
const call = { signal: AbortSignal.timeout(170_000) };
const folder = tempFolder("oci-client");
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const door = { scheme: "bearer", users: { pusher: "pw" } } as const;
const empty = Buffer.from("{}");

describe.each([
  ["docker-registry", async () => startDockerRegistry(), { listedBy: "tag" }],
  ["CUE's registry", async () => startOciRegistry(), { listedBy: "registry" }],
  ["the sandbox's registry", async () => sandbox(), { listedBy: "registry" }],
] as const)("%s", (_, start, { listedBy }) => {
  let stop: () => Promise<void>;
  let url: string;
  let front: Misbehaving;
  let wire: Http;
  let repository: OpenRepository;
  beforeAll(async () => {
    ({ url, stop } = await start());
    front = await misbehave(url, { auth: door });
    wire = http({ env: {} });
    const credentials = [{ kind: "basic", username: "pusher", password: "pw", source: "the test" }] as const;
    repository = registries({ http: wire }).open({ registry: front.host, repository: "team/app" }, credentials, "pull,push");
  });
  afterAll(async () => {
    await wire?.close();
    await front?.close();
    await stop?.();
  });

  const described = (mediaType: string, bytes: Uint8Array): Descriptor => ({ mediaType, size: bytes.length, digest: sha256Of(bytes) });
  async function pushImage(text: string, more: object = {}): Promise<{ readonly bytes: Buffer; readonly descriptor: Descriptor }> {
    const layer = Buffer.from(text);
    await Promise.all([repository.putBlob(empty, call), repository.putBlob(layer, call)]);
    const config = described(emptyType, empty);
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType: "text/plain",
        config,
        layers: [described("text/plain", layer)],
        ...more,
      }),
    );
    return { bytes, descriptor: described(manifestType, bytes) };
  }

  test("an artifact: blobs, a manifest by tag and by digest, read again byte for byte", async () => {
    const { bytes, descriptor } = await pushImage("hello");
    expect(await repository.putManifest("v1", { mediaType: manifestType, bytes }, call)).toBe(descriptor.digest);
    expect(await repository.describe("v1", call)).toEqual(descriptor);
    expect(await repository.digestOf("v1", call)).toBe(descriptor.digest);
    for (const name of ["v1", descriptor.digest]) expect((await repository.manifest(name, call))?.bytes).toEqual(bytes);
    expect(await repository.blob(sha256Of(Buffer.from("hello")), call)).toEqual(Buffer.from("hello"));
    expect(await repository.hasBlob(sha256Of(Buffer.from("hello")), call)).toBe(true);
    expect(await repository.tags(call)).toContain("v1");
  });

  test("what is not there: undefined, and no error", async () => {
    const nothing = sha256Of(Buffer.from("nothing"));
    expect(await repository.manifest("none", call)).toBeUndefined();
    expect(await repository.manifest(nothing, call)).toBeUndefined();
    expect(await repository.describe("none", call)).toBeUndefined();
    expect(await repository.blob(nothing, call)).toBeUndefined();
    expect(await repository.hasBlob(nothing, call)).toBe(false);
    expect(await repository.referrers(nothing, call)).toEqual([]);
  });

  test("a manifest whose blobs are missing is refused (by CUE with 500), and nothing of the answer's text is repeated", async () => {
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: described(emptyType, Buffer.from("gone")), layers: [] }),
    );
    await expect(repository.putManifest("broken", { mediaType: manifestType, bytes }, call)).rejects.toMatchObject({
      name: "RegistryError",
      message: expect.stringMatching(
        /^PUT manifest [\w.:/]+: the registry answered (4\d\d|500)( [A-Z_]+)?(; does the repository exist\?)?$/,
      ),
    });
  });

  test("tokens that run out are replaced, in the middle of everything", async () => {
    front.expireTokens();
    await repository.putBlob(Buffer.from("after"), call);
    front.expireTokens();
    expect(await repository.digestOf("v1", call)).toBeDefined();
  });

  test("referrers: listed by whoever keeps the list, filtered by artifact type", async () => {
    const subject = await pushImage("subject");
    await repository.putManifest("subject", { mediaType: manifestType, bytes: subject.bytes }, call);
    const about = await pushImage("about it", { subject: subject.descriptor });
    const { digest, listed } = await repository.putReferrer({ mediaType: manifestType, bytes: about.bytes }, call);
    expect(listed).toBe(listedBy === "registry");
    if (!listed) {
      const index = { schemaVersion: 2, mediaType: indexType, manifests: [{ ...about.descriptor, artifactType: "text/plain" }] };
      await repository.putManifest(
        fallbackTagOf(subject.descriptor.digest),
        { mediaType: indexType, bytes: Buffer.from(JSON.stringify(index)) },
        call,
      );
    }
    expect(await repository.listReferrers(subject.descriptor.digest, call)).toMatchObject({ keptBy: listedBy });
    expect(
      (await repository.referrers(subject.descriptor.digest, { ...call, artifactType: "text/plain" })).map((one) => one.digest),
    ).toEqual([digest]);
    expect(await repository.referrers(subject.descriptor.digest, { ...call, artifactType: "other/type" })).toEqual([]);
  });

  test("oras and crane read what we pushed, and find what refers to it", async () => {
    const subject = await pushImage("for oras");
    await repository.putManifest("for-oras", { mediaType: manifestType, bytes: subject.bytes }, call);
    const about = await pushImage("about it, for oras", { subject: subject.descriptor });
    const { listed } = await repository.putReferrer({ mediaType: manifestType, bytes: about.bytes }, call);
    if (!listed) {
      const index = { schemaVersion: 2, mediaType: indexType, manifests: [{ ...about.descriptor, artifactType: "text/plain" }] };
      await repository.putManifest(
        fallbackTagOf(subject.descriptor.digest),
        { mediaType: indexType, bytes: Buffer.from(JSON.stringify(index)) },
        call,
      );
    }
    const host = new URL(url).host;
    const manifest = await tool("crane", ["manifest", "--insecure", `${host}/team/app:for-oras`]);
    expect(manifest.stdout.trimEnd()).toBe(subject.bytes.toString());
    expect((await tool("crane", ["digest", "--insecure", `${host}/team/app:for-oras`])).stdout.trim()).toBe(subject.descriptor.digest);
    const discovered = await tool("oras", ["discover", "--plain-http", "--format", "json", `${host}/team/app:for-oras`]);
    expect(discovered.stdout).toContain(about.descriptor.digest);
    const blob = await tool("oras", [
      "blob",
      "fetch",
      "--plain-http",
      "--output",
      "-",
      `${host}/team/app@${sha256Of(Buffer.from("for oras"))}`,
    ]);
    expect(blob.stdout).toBe("for oras");
  });

  test("we read what oras pushed, and what it attached", async () => {
    const host = new URL(url).host;
    writeFileSync(`${folder}/note.txt`, "a note");
    await tool("oras", ["push", "--plain-http", "--artifact-type", "text/note", `${host}/team/app:by-oras`, "note.txt:text/plain"], {
      cwd: folder,
    });
    await tool("oras", ["attach", "--plain-http", "--artifact-type", "text/remark", `${host}/team/app:by-oras`, "note.txt:text/plain"], {
      cwd: folder,
    });
    const stored = await repository.manifest("by-oras", call);
    const { layers, artifactType } = parseImageManifest(stored?.bytes ?? empty);
    expect(artifactType).toBe("text/note");
    expect(Buffer.from((await repository.blob(layers[0]?.digest ?? "", call)) ?? "").toString()).toBe("a note");
    const [remark, ...more] = await repository.referrers(stored?.digest ?? "", call);
    expect(more).toEqual([]);
    expect(remark?.artifactType).toBe("text/remark");
    expect(parseImageManifest((await repository.manifest(remark?.digest ?? "", call))?.bytes ?? empty).subject?.digest).toBe(
      stored?.digest,
    );
  });
});

async function sandbox(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const made = await sandboxRegistry();
  return { url: made.url, stop: made.close };
}
