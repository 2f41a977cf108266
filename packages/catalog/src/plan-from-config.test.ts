import { parseConfig } from "@countersign/config";
import { CountersignError, type StorageBackend } from "@countersign/core";
import type { Http } from "@countersign/http";
import { parseRun, type Run } from "@countersign/tekton";
import { describe, expect, test } from "vitest";
import { catalog } from "./catalog.ts";
import type { CatalogHost } from "./host.ts";
import { planFromConfig } from "./plan-from-config.ts";
import { unsupportedIn } from "./unsupported.ts";

const signal = new AbortController().signal;
const silence: Http = {
  request: () => Promise.reject(new Error("no network here")),
  stream: () => Promise.reject(new Error()),
  close: async () => undefined,
};
const host: CatalogHost = {
  keys: { current: async () => ({ version: "1", files: {} }) },
  env: {},
  credentials: () => async () => [],
  registryHttp: () => silence,
  http: () => silence,
};
const run = (kind = "TaskRun", annotations: Record<string, string> = {}): Run =>
  parseRun(
    JSON.stringify({
      apiVersion: "tekton.dev/v1",
      kind,
      metadata: { name: "build", namespace: "ci", uid: "u1", annotations },
      status: {
        conditions: [{ type: "Succeeded", status: "True" }],
        results: [
          { name: "IMAGE_URL", value: "r.io/app" },
          { name: "IMAGE_DIGEST", value: `sha256:${"a".repeat(64)}` },
        ],
      },
    }),
  );
const manyImages = (count: number): Run => {
  const value = Array.from({ length: count }, (_, n) => `r.io/app${n}@sha256:${"a".repeat(64)}`).join(",");
  return parseRun(
    JSON.stringify({
      kind: "TaskRun",
      metadata: { name: "b", namespace: "ci", uid: "u1" },
      status: { results: [{ name: "IMAGES", value }] },
    }),
  );
};
const routes = (data: Record<string, string>, of = run(), from = catalog) => planFromConfig(parseConfig(data).config, host, from)(of);
const shape = (data: Record<string, string>, of = run()) =>
  routes(data, of).map(({ id, signer, witnesses, backends }) => [
    id,
    signer.name,
    witnesses.map(({ name }) => name),
    backends.map(({ name }) => name),
  ]);

describe("plans", () => {
  test("the defaults of Tekton Chains", () => {
    expect(shape({})).toEqual([
      ["taskrun/in-toto", "x509", [], ["tekton"]],
      ["image/simplesigning", "x509", [], ["oci"]],
    ]);
    expect(shape({}, run("PipelineRun"))).toEqual([["pipelinerun/in-toto", "x509", [], ["tekton"]]]);
  });

  test("a disabled kind has no route, and images of a PipelineRun are never signed", () => {
    expect(shape({ "artifacts.oci.signer": "none" }).map(([id]) => id)).toEqual(["taskrun/in-toto"]);
    expect(shape({ "artifacts.taskrun.storage": "" }).map(([id]) => id)).toEqual(["image/simplesigning"]);
    expect(shape({ "artifacts.pipelinerun.signer": "none" }, run("PipelineRun"))).toEqual([]);
  });

  test.each(["in-toto", "slsa/v1", "slsa/v2alpha3", "slsa/v2alpha4"])("format %s gives a payload", (format) => {
    const [route] = routes({ "artifacts.taskrun.format": format });
    expect(route?.format().format).toBe(format);
  });

  test("one plug-in for each name: a key is decrypted once, a registry has one turn-keeper", () => {
    const [a, b] = routes({ "artifacts.taskrun.storage": "tekton,oci" });
    expect(a?.signer).toBe(b?.signer);
    expect(a?.backends.find(({ name }) => name === "oci")).toBe(b?.backends[0]);
  });

  test("transparency: always, by request, never", () => {
    const logged = (value: string, annotations: Record<string, string> = {}) =>
      routes({ "transparency.enabled": value }, run("TaskRun", annotations))[0]?.witnesses.length;
    const key = "chains.tekton.dev/transparency";
    expect(logged("true")).toBe(1);
    expect(logged("false")).toBe(0);
    expect(
      [{}, { [`${key}-upload`]: "yes" }, { [`${key}-upload`]: "true" }, { [`${key}-upload`]: "true", [key]: "https://…" }].map((notes) =>
        logged("manual", notes as never),
      ),
    ).toEqual([0, 0, 1, 0]);
    expect(logged("manual", { [`${key}-upload`]: "true", [key]: "https://…", "chains.tekton.dev/retries": "0" })).toBe(1);
  });
});

describe("layouts", () => {
  const to = (encoding: string, storage = "oci") =>
    shape({ "artifacts.taskrun.storage": storage, "artifacts.oci.storage": storage, "storage.oci.encoding-format": encoding }).map(
      ([id, , , backends]) => [id, backends],
    );

  test("tags: provenance and simplesigning", () => {
    expect(to("dsse")).toEqual([
      ["taskrun/in-toto", ["oci"]],
      ["image/simplesigning", ["oci"]],
    ]);
  });

  test("bundles: an image is signed as cosign signs it, and simplesigning stays where it can be read", () => {
    expect(to("sigstore-bundle")).toEqual([
      ["taskrun/in-toto", ["oci"]],
      ["image/sign-v1", ["oci"]],
    ]);
    expect(to("sigstore-bundle", "oci,tekton")).toEqual([
      ["taskrun/in-toto", ["oci", "tekton"]],
      ["image/sign-v1", ["oci"]],
      ["image/simplesigning", ["tekton"]],
    ]);
  });

  test("both: one provenance in two places, two signatures of an image", () => {
    expect(to("both", "oci,tekton")).toEqual([
      ["taskrun/in-toto", ["oci", "oci", "tekton"]],
      ["image/simplesigning", ["oci", "tekton"]],
      ["image/sign-v1", ["oci"]],
    ]);
  });
});

test("a run that names more images than it may is one failure", () => {
  const [, only, ...more] = routes({ "limits.images-per-run": "1" }, manyImages(2));
  expect(more).toEqual([]);
  expect(() => only?.format()).toThrow(/names 2 images, and limits.images-per-run allows 1/);
  expect(routes({ "limits.images-per-run": "2" }, manyImages(2)).map(({ id }) => id)).toEqual([
    "taskrun/in-toto",
    "image/simplesigning",
    "image/simplesigning",
  ]);
});

test("witnesses: a timestamp before the log, each only where it is asked for", () => {
  const seen = (data: Record<string, string>) => routes(data)[0]?.witnesses.map(({ name }) => name);
  expect(seen({ "transparency.tsa.url": "https://tsa.example" })).toEqual(["timestamp"]);
  expect(seen({ "transparency.tsa.url": "https://tsa.example", "transparency.enabled": "true" })).toEqual(["timestamp", "rekor"]);
  const stamped = { "transparency.tsa.url": "https://tsa.example", "artifacts.taskrun.storage": "oci" };
  const stamps = (encoding: string) =>
    routes({ ...stamped, "storage.oci.encoding-format": encoding }).map(({ witnesses }) => witnesses.length);
  expect([stamps("dsse"), stamps("both")]).toEqual([
    [1, 1],
    [2, 1, 1], // a statement in a tag has its timestamp over the envelope, in a bundle over the signature
  ]);
});

describe("what cannot be had", () => {
  const failureOf = async (data: Record<string, string>, backend = 0): Promise<unknown> => {
    const [route] = routes(data);
    return route?.backends[backend]?.store({} as never, { signal }).catch((error: unknown) => error);
  };
  test("puts its own route on hold and leaves the others alone", async () => {
    const data = { "artifacts.taskrun.storage": "gcs,tekton" };
    expect(shape(data)[0]?.[3]).toEqual(["gcs", "tekton"]);
    expect(await failureOf(data)).toMatchObject({ code: "config.unsupported", retry: "hold" });
    expect(unsupportedIn(parseConfig(data).config)).toEqual(["storage gcs"]);
  });

  test("signers as well", async () => {
    const [kms] = routes({ "artifacts.taskrun.signer": "kms" });
    await expect(kms?.signer.sign(Buffer.of(), { signal })).rejects.toMatchObject({ code: "config.unsupported" });
    expect(unsupportedIn(parseConfig({ "artifacts.taskrun.signer": "kms" }).config)).toEqual(["signer kms"]);
    expect(unsupportedIn(parseConfig({ "transparency.enabled": "true", "signers.x509.fulcio.enabled": "true" }).config)).toEqual([]);
  });

  test("settings a plug-in refuses hold that plug-in, not the whole configuration", async () => {
    const why = await failureOf({ "artifacts.taskrun.storage": "oci", "storage.oci.repository": "https://not a repository" });
    expect(CountersignError.is(why) && [why.code, why.retry]).toEqual(["config.oci-repository", "hold"]);
  });

  test("a stranger's backend needs no registration", async () => {
    const shelf: StorageBackend = { name: "gcs", store: async () => ({ uris: ["shelf:"] }) };
    const [route] = routes({ "artifacts.taskrun.storage": "gcs" }, run(), {
      ...catalog,
      storage: { ...catalog.storage, gcs: () => shelf },
    });
    expect(route?.backends).toEqual([shelf]);
  });
});
