import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { messageOf, sameBytes, simplesigningMediaType } from "@countersign/bundle";
import type { Attestation, Payload } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { inTotoPayloadType } from "@countersign/in-toto-attestation";
import { type OpenRepository, parseImageManifest, registries } from "@countersign/oci-client";
import { type OciStorage, ociStorage } from "@countersign/storage-oci";
import { registry as sandboxRegistry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Registry, startDockerRegistry, startOciRegistry } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** The same signatures in three registries that share no line of code, manifest by manifest. */
const call = { signal: AbortSignal.timeout(170_000) };
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
const hex = (text: string): string => createHash("sha256").update(text).digest("hex");

function attested(payload: Payload): Attestation {
  const run = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u" } as const;
  const artifact = { kind: "taskrun", run, serviceAccount: "default", shortKey: "taskrun-u", fullKey: "tekton.dev-v1-TaskRun-u" } as const;
  const bytes = sign("sha256", messageOf(payload), privateKey);
  return { artifact, payload, signature: { bytes, algorithm: "ecdsa-sha256", publicKey: pem }, evidence: [] };
}
function statement(host: string, image: string, more: string): Payload {
  const subjects = [{ name: `${host}/team/app`, digest: { sha256: hex(image) } }];
  // The host is left out of the signed bytes: both registries get the same.
  const body = Buffer.from(JSON.stringify({ predicateType: "https://slsa.dev/provenance/v0.2", predicate: { more } }));
  return {
    format: "slsa/v1",
    envelope: "dsse",
    mediaType: inTotoPayloadType,
    predicateType: "https://slsa.dev/provenance/v0.2",
    body,
    subjects,
  };
}
function claim(host: string, image: string): Payload {
  const subjects = [{ name: `${host}/team/app`, digest: { sha256: hex(image) } }];
  return { format: "simplesigning", envelope: "none", mediaType: simplesigningMediaType, body: Buffer.from(hex(image)), subjects };
}

let docker: Pick<Registry, "host">;
let cue: Pick<Registry, "host">;
let sandbox: Pick<Registry, "host">;
const cleanUp: (() => Promise<void>)[] = [];
let wire: Http;
let requests: string[] = [];
beforeAll(async () => {
  const [one, two, three] = await Promise.all([startDockerRegistry(), startOciRegistry(), sandboxRegistry()]);
  [docker, cue, sandbox] = [one, two, three];
  cleanUp.push(one.stop, two.stop, three.close);
  wire = http({ observe: ({ method, path }) => requests.push(`${method} ${path}`) });
});
afterAll(async () => {
  await wire?.close();
  await Promise.all(cleanUp.map((step) => step()));
});

const backend = (): OciStorage => ociStorage({ http: wire, credentials: async () => [] });
const open = ({ host }: Pick<Registry, "host">): OpenRepository =>
  registries({ http: wire }).open({ registry: host, repository: "team/app" }, [], "pull,push");
const manifestAt = async (registry: Pick<Registry, "host">, tag: string): Promise<{ digest: string; layers: number; type: string }> => {
  const stored = await open(registry).manifest(tag, call);
  if (!stored) throw new Error(`${registry.host} has no ${tag}`);
  return { digest: stored.digest, layers: parseImageManifest(stored.bytes).layers.length, type: stored.mediaType };
};

test("tag by tag and digest by digest the same", async () => {
  const made = new Map<string, Attestation>();
  const attestationOf = (key: string, payload: Payload): Attestation => {
    const known = made.get(key);
    const one = known ? { ...known, payload } : attested(payload);
    made.set(key, one);
    return one;
  };
  const manifests: Record<string, unknown>[] = [];
  for (const registry of [docker, cue, sandbox]) {
    const store = backend();
    for (const more of ["task", "pipeline"]) await store.store(attestationOf(more, statement(registry.host, "same", more)), call);
    await store.store(attestationOf("claim", claim(registry.host, "same")), call);
    const tag = `sha256-${hex("same")}`;
    manifests.push({ att: await manifestAt(registry, `${tag}.att`), sig: await manifestAt(registry, `${tag}.sig`) });
  }
  expect(manifests[1]).toEqual(manifests[0]);
  expect(manifests[2]).toEqual(manifests[0]);
  expect(manifests[0]).toMatchObject({ att: { layers: 2, type: "application/vnd.oci.image.manifest.v1+json" }, sig: { layers: 1 } });
});

// distribution takes a blob in two requests, CUE's in one
describe.each([
  ["distribution", () => docker, 7],
  ["CUE", () => cue, 5],
  ["ours, of the sandbox", () => sandbox, 5],
] as const)("%s", (_, registryOf, requestsForANewTag) => {
  test("what is stored is found again, and stored once", async () => {
    const registry = registryOf();
    const store = backend();
    const attestation = attested(statement(registry.host, "once", "x"));
    const { uris } = await store.store(attestation, call);
    expect(uris).toEqual([`${registry.host}/team/app:sha256-${hex("once")}.att`]);
    await store.store(attestation, call);
    expect(await manifestAt(registry, `sha256-${hex("once")}.att`)).toMatchObject({ layers: 1 });
    const found = (await store.find?.({ ...attestation, annotations: {} }, call)) ?? [];
    expect(found.map(({ signature }) => sameBytes(signature.bytes, attestation.signature.bytes))).toEqual([true]);
  });

  // Who is slow between reading and writing asks once more: a busy machine may need a second chance to show the quick case.
  test("requests: for a new tag, for one stored already, for finding", { retry: 2 }, async () => {
    const registry = registryOf();
    const store = backend();
    // The first one learns scheme and manners of the registry.
    await store.store(attested(statement(registry.host, "first", "x")), call);
    const attestation = attested(statement(registry.host, "counted", "x"));
    requests = [];
    await store.store(attestation, call);
    const stored = requests.length;
    requests = [];
    await store.store(attestation, call);
    const again = requests.length;
    requests = [];
    await store.find?.({ ...attestation, annotations: {} }, call);
    const found = requests.length;
    await backend().find?.({ ...attestation, annotations: {} }, call);
    expect({ stored, again, found, byAStranger: requests.length }).toEqual({
      stored: requestsForANewTag,
      again: 1,
      // The look after the write, or the one reading of what was there already, is the reading that follows.
      found: 0,
      // The manifest and the layer; the registry was greeted before, through the same Http.
      byAStranger: 2,
    });
  });

  test("fifty parallel attaches to one digest all remain", async () => {
    const registry = registryOf();
    const store = backend();
    const all = Array.from({ length: 50 }, (_, i) => attested(statement(registry.host, "fifty", `${i}`)));
    await Promise.all(all.map((attestation) => store.store(attestation, call)));
    expect(await manifestAt(registry, `sha256-${hex("fifty")}.att`)).toMatchObject({ layers: 50 });
    const [first] = all;
    expect(first && (await store.find?.({ ...first, annotations: {} }, call))).toHaveLength(50);
  });

  test("referrers by the API or by the fallback tag, tags page by page, blobs by digest", async () => {
    const repository = open(registryOf());
    const config = await repository.putBlob(Buffer.from("{}"), call);
    const describe = (digest: string) => ({ mediaType: "application/vnd.oci.empty.v1+json", size: 2, digest });
    const image = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: describe(config), layers: [] }),
    );
    const subject = await repository.putManifest("image", { mediaType: "application/vnd.oci.image.manifest.v1+json", bytes: image }, call);
    const referrer = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        artifactType: "application/x.test",
        config: describe(config),
        layers: [describe(config)],
        subject: { mediaType: "application/vnd.oci.image.manifest.v1+json", size: image.length, digest: subject },
      }),
    );
    const digest = `sha256:${createHash("sha256").update(referrer).digest("hex")}`;
    await repository.putManifest(digest, { mediaType: "application/vnd.oci.image.manifest.v1+json", bytes: referrer }, call);
    const found = await repository.referrers(subject, call);
    // distribution 2.8 knows no referrers, and nobody wrote the fallback tag
    expect(found.map((one) => one.digest)).toEqual(registryOf() === docker ? [] : [digest]);
    expect(await repository.tags(call)).toContain("image");
    expect(await repository.hasBlob(config, call)).toBe(true);
    expect(await repository.hasBlob(`sha256:${hex("absent")}`, call)).toBe(false);
    expect(await repository.manifest("absent", call)).toBeUndefined();
  });
});
