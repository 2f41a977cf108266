import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Attestation } from "@countersign/core";
import { signV1 } from "@countersign/formatters-cosign";
import { type Http, type HttpResponse, http } from "@countersign/http";
import { type Attached, ociStorage } from "@countersign/storage-oci";
import { imagesOf, parseRun } from "@countersign/tekton";
import { type Registry, registry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/**
 * What cosign 3.1.1 and Tekton Chains wrote into a registry is read, and written again by us from what was read: payload, signature, key,
 * certificate and the log's word. Every byte is the same but for the differences that stand below, each with its reason.
 */
const golden = join(import.meta.dirname, "../../../shared/golden/oci");
const present = existsSync(golden);

/** Path in the file to why it may differ. "+": we write it, they do not; "≠": both write it. */
const sortedOut: Readonly<Record<string, string>> = {
  "manifest.json + layers[].annotations.predicateType": "cosign writes it, Chains leaves it out; no verifier minds, and tools show it",
  "manifest.json + layers[].annotations.dev.sigstore.cosign/certificate":
    "empty rather than absent, as Chains writes it; cosign leaves it out",
  "manifest.json + layers[].annotations.dev.sigstore.cosign/chain": "empty rather than absent, as Chains writes it; cosign leaves it out",
  "layer.json + signatures[].keyid": "the DSSE keyid that Chains writes (fingerprint of the key); cosign leaves it out",
  "bundle.json ≠ blanks": "Go's protobuf strews blanks into its JSON, other ones in each build; cosign takes them out",
  "fallback-index.json + manifests[].annotations": "OCI 1.1 asks for the manifest's annotations here; neither writes them",
  "fallback-index.json ≠ manifests[].artifactType": "OCI 1.1 asks for the artifact type; cosign writes that of the configuration",
};
/** Digest and size of what differs follow, and nothing else may. */
const followUps = new Set([
  "manifest.json ≠ layers[].digest",
  "manifest.json ≠ layers[].size",
  "manifest.json ≠ config.digest",
  "config.json ≠ rootfs.diff_ids[]",
  "fallback-index.json ≠ manifests[].digest",
  "fallback-index.json ≠ manifests[].size",
]);

const repository = "registry.example/team/app";
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const read = (...path: readonly string[]): Buffer => readFileSync(join(golden, ...path));
const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());
const subject = present ? read("subject", "manifest.json") : Buffer.alloc(0);
const image = digestOf(subject);

const answer = (status: number, type = "", body: Uint8Array = Buffer.alloc(0)): HttpResponse => ({
  status,
  headers: { "content-type": type, "content-length": `${body.length}`, "docker-content-digest": digestOf(body) },
  body,
});
const imageAnswer = (): HttpResponse => answer(200, "application/vnd.docker.distribution.manifest.v2+json", subject);
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

/** A registry without the API that holds what was recorded in one folder: manifests by digest, one of them at a tag. */
function recorded(folder: string, tag: string, at: string): Http {
  const blobs = new Map(readdirSync(join(golden, folder)).map((name) => [digestOf(read(folder, name)), read(folder, name)]));
  return {
    async request({ url }) {
      const path = new URL(url).pathname;
      const name = path.split("/").at(-1) ?? "";
      if (path.endsWith("/v2/")) return answer(200);
      if (name === image && path.includes("/manifests/")) return imageAnswer();
      if (name === tag) return answer(200, at === "fallback-index.json" ? indexType : manifestType, read(folder, at));
      const bytes = path.includes("/referrers/") ? undefined : blobs.get(name);
      return bytes ? answer(200, manifestType, bytes) : answer(404);
    },
    stream: () => Promise.reject(new Error("not needed")),
    close: async () => undefined,
  };
}

const keyOf = (folder: string, { found }: Attached): string => {
  const { certificate } = found.signature;
  if (certificate) return new X509Certificate(certificate).publicKey.export({ type: "spki", format: "pem" }).toString();
  const file = folder.includes("rsa2048") ? "rsa2048.pem" : "cosign.pub";
  return createPublicKey(read("keys", file)).export({ type: "spki", format: "pem" }).toString();
};

function attestationFrom(folder: string, one: Attached): Attestation {
  const { found, payload: body, payloadType, envelope, predicateType } = one;
  const run = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u" } as const;
  return {
    artifact: { kind: "image", run, serviceAccount: "default", shortKey: "x", fullKey: "x" },
    payload: {
      ...{ format: "", envelope, mediaType: payloadType, body },
      ...(predicateType && { predicateType }),
      subjects: [{ name: repository, digest: { sha256: image.slice("sha256:".length) } }],
    },
    signature: { ...found.signature, algorithm: "ecdsa-sha256", publicKey: keyOf(folder, one) },
    evidence: found.evidence,
  };
}

/** "+ a.b[].c" and "≠ a.b[].c"; what only they have is a "−", and never allowed. */
function differences(ours: unknown, theirs: unknown, path = ""): string[] {
  if (typeof ours !== "object" || typeof theirs !== "object" || ours === null || theirs === null)
    return ours === theirs ? [] : [`≠ ${path}`];
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  return names.flatMap((name) => {
    const inner = Array.isArray(ours) ? `${path}[]` : path ? `${path}.${name}` : name;
    const [left, right] = [ours, theirs].map((side) => (side as Record<string, unknown>)[name]);
    if (right === undefined) return [`+ ${inner}`];
    return left === undefined ? [`− ${inner}`] : differences(left, right, inner);
  });
}

describe.skipIf(!present)(`recorded by cosign and Chains${present ? "" : " — skipped: no ../shared/golden beside the repository"}`, () => {
  let shelf: Registry;
  let wire: Http;
  beforeAll(async () => {
    shelf = await registry({ referrers: false });
    const inner = http({ env: {} });
    // The image lives in every registry.
    wire = {
      ...inner,
      request: async (request) => {
        const url = new URL(request.url);
        if (request.method === "HEAD" && url.pathname.endsWith(image)) return imageAnswer();
        return inner.request({ ...request, url: `${shelf.url}${url.pathname}${url.search}` });
      },
    };
  });
  afterAll(async () => {
    await wire?.close();
    await shelf?.close();
  });

  const used = new Set<string>();
  function compare(file: string, ours: Uint8Array, theirs: Uint8Array): void {
    const all = differences(json(ours), json(theirs)).map((one) => `${file} ${one}`);
    const compact = JSON.stringify(json(theirs));
    if (compact !== Buffer.from(theirs).toString()) all.push(`${file} ≠ blanks`);
    const isSame = Buffer.from(ours).toString() === compact;
    if (all.every((one) => one.endsWith("≠ blanks")) && !isSame) expect.fail(`${file}: the members stand in another order`);
    const allowed = all.filter((one) => Object.hasOwn(sortedOut, one));
    for (const one of allowed) used.add(one);
    const rest = all.filter((one) => !allowed.includes(one));
    expect(rest.filter((one) => !followUps.has(one))).toEqual([]);
    if (file === "layer.json" && rest.length > 0) expect.fail(`${rest}`);
  }

  const tagged = present
    ? [
        ...readdirSync(join(golden, "chains"))
          .filter((name) => name.startsWith("dsse-") && !name.includes("retries"))
          .flatMap((name) => ["sig", "att"].map((suffix) => [`chains/${name}/${suffix}`, suffix] as const)),
        ...readdirSync(join(golden, "cosign-3.1.1"))
          .filter((name) => name.includes("-tag") && !name.includes("timestamp"))
          .map((name) => [`cosign-3.1.1/${name}`, name.startsWith("sign") ? "sig" : "att"] as const),
      ]
    : [];
  test.each(tagged)("%s", async (folder, suffix) => {
    const tag = `${image.replace(":", "-")}.${suffix}`;
    const call = { signal: AbortSignal.timeout(20_000) };
    const theirs = ociStorage({ http: recorded(folder, tag, "manifest.json"), credentials: async () => [] });
    const attached = await theirs.discover(`${repository}@${image}`, call);
    expect(attached.length).toBeGreaterThan(0);
    const name = `again/${folder.replaceAll("/", "-").toLowerCase()}`;
    const ours = ociStorage({ http: wire, credentials: async () => [], repository: `registry.example/${name}`, lookAfterMs: () => 1 });
    for (const one of attached) await ours.store(attestationFrom(folder, one), call);
    const written = shelf.manifest(name, tag)?.bytes ?? Buffer.alloc(0);
    compare("manifest.json", written, read(folder, "manifest.json"));
    const { config, layers } = json(written) as { config: { digest: string }; layers: { digest: string }[] };
    const blob = async (digest: string): Promise<Uint8Array> =>
      (await wire.request({ url: `http://registry.example/v2/${name}/blobs/${digest}`, ...call })).body;
    compare("config.json", await blob(config.digest), read(folder, "config.json"));
    for (const [n, layer] of layers.entries()) compare("layer.json", await blob(layer.digest), read(folder, `layer${n}.json`));
  });

  const bundled = present
    ? ["chains", "cosign-3.1.1"].flatMap((by) =>
        readdirSync(join(golden, by))
          .filter((name) => name.includes("bundle"))
          .map((name) => `${by}/${name}`),
      )
    : [];
  test.each(bundled)("%s", async (folder) => {
    const tag = image.replace(":", "-");
    const call = { signal: AbortSignal.timeout(20_000) };
    const index = json(read(folder, "fallback-index.json")) as { manifests: { digest: string }[] };
    const theirs = ociStorage({ http: recorded(folder, tag, "fallback-index.json"), credentials: async () => [] });
    const attached = await theirs.discover(`${repository}@${image}`, call);
    expect(attached).toHaveLength(index.manifests.length);
    const name = `again/${folder.replaceAll("/", "-").toLowerCase()}`;
    const remade: string[] = [];
    for (const one of attached) {
      const what = one.kind;
      const manifest = json(read(folder, `${what}.manifest.json`)) as { annotations: Record<string, string> };
      const created = new Date(manifest.annotations["org.opencontainers.image.created"] ?? "");
      const attestation = attestationFrom(folder, one);
      // Chains wraps the simplesigning document into an envelope that no verifier accepts: we never write that, but we can read it.
      if (one.payloadType !== "application/vnd.in-toto+json") {
        expect([folder.split("/")[0], what]).toEqual(["chains", "signature"]);
        continue;
      }
      const subjects = [{ name: `registry.example/${name}`, digest: { sha256: image.slice("sha256:".length) } }];
      const ours = ociStorage({ http: wire, credentials: async () => [], layout: "bundles", lookAfterMs: () => 1, now: () => created });
      const { uris } = await ours.store({ ...attestation, payload: { ...attestation.payload, subjects } }, call);
      const written = shelf.manifest(name, uris[0]?.split("@")[1] ?? "")?.bytes ?? Buffer.alloc(0);
      compare("manifest.json", written, read(folder, `${what}.manifest.json`));
      remade.push(digestOf(read(folder, `${what}.manifest.json`)));
      const { layers } = json(written) as { layers: { digest: string }[] };
      const bundle = await wire.request({ url: `http://registry.example/v2/${name}/blobs/${layers[0]?.digest}`, ...call });
      compare("bundle.json", bundle.body, read(folder, `${what}.bundle.json`));
    }
    const ourIndex = json(shelf.manifest(name, tag)?.bytes ?? Buffer.from("{}")) as { manifests?: unknown[] };
    const theirIndex = { ...index, manifests: index.manifests.filter(({ digest }) => remade.includes(digest)) };
    expect(theirIndex.manifests).toHaveLength(ourIndex.manifests?.length ?? 0);
    compare("fallback-index.json", Buffer.from(JSON.stringify(ourIndex)), Buffer.from(JSON.stringify(theirIndex)));
  });

  test("what says that an image is signed is what cosign signs, byte for byte", () => {
    const results = [{ name: "IMAGES", value: `${repository}@${image}` }];
    const [built] = imagesOf(parseRun(JSON.stringify({ kind: "TaskRun", status: { results } })));
    const theirs = read("cosign-3.1.1", "sign-bundle", "signature.bundle.decoded-payload.json");
    expect(built && Buffer.from(signV1().format(built).body).toString()).toBe(theirs.toString());
  });

  test("every allowed difference is there: none is allowed for nothing", () => {
    expect([...used].sort()).toEqual(Object.keys(sortedOut).sort());
  });
});
