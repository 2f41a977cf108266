import { parseConfig } from "@countersign/config";
import type { Http } from "@countersign/http";
import { expect, test } from "vitest";
import type { CatalogHost } from "./host.ts";
import { trustFrom } from "./trust.ts";

const asked: string[] = [];
const http: Http = {
  request: async ({ url }) => {
    asked.push(`${url}`);
    return { status: 404, headers: {}, body: Buffer.of() };
  },
  stream: () => Promise.reject(new Error("no stream")),
  close: async () => undefined,
};
const host: CatalogHost = {
  keys: { current: async () => ({ version: "1", files: {} }) },
  env: {},
  credentials: () => async () => [],
  registryHttp: () => http,
  http: () => http,
};
const trust = (data: Readonly<Record<string, string>>) => trustFrom(parseConfig(data).config, host);
const call = { signal: new AbortController().signal };

test("nobody is asked for a trust root unless one is configured", () => {
  expect(trust({})).toBeUndefined();
  expect(trust({ "signers.x509.fulcio.enabled": "true", "transparency.enabled": "true" })).toBeUndefined();
  expect(trust({ "signers.x509.tuf.mirror.url": "" })).toBeUndefined();
});

test("text before file before TUF; a root that is none holds", async () => {
  const mirror = { "signers.x509.tuf.mirror.url": "https://tuf.example" };
  await expect(trust({ ...mirror, "trust.root": "{}" })?.(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
  await expect(trust({ ...mirror, "trust.root.file": "/nowhere/root.json" })?.(call)).rejects.toMatchObject({ retry: "hold" });
  expect(asked).toEqual([]);
});

test("a mirror of one's own is asked, everybody's only when told", async () => {
  await expect(trust({ "signers.x509.tuf.mirror.url": "https://tuf.example" })?.(call)).rejects.toMatchObject({
    code: "config.trust-root",
  });
  await expect(trust({ "trust.tuf": "true" })?.(call)).rejects.toMatchObject({ code: "config.trust-root" });
  expect(asked.map((url) => new URL(url).host)).toEqual(expect.arrayContaining(["tuf.example", "tuf-repo-cdn.sigstore.dev"]));
});
