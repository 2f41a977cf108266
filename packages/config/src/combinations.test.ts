import { describe, expect, test } from "vitest";
import { parseConfig } from "./parse-config.ts";

const warned = (map: Readonly<Record<string, string>>) => parseConfig(map).warnings.map(({ key }) => key);
const keyless = { "signers.x509.fulcio.enabled": "true" };

describe("each is fine and together they are not what people mean", () => {
  test.each([
    ["storage.oci.repository", { "storage.oci.repository": "r.example/x", "storage.oci.encoding-format": "sigstore-bundle" }],
    ["storage.oci.repository", { "storage.oci.repository": "r.example/x", "storage.oci.encoding-format": "both" }],
    ["storage.oci.repository.insecure", { "storage.oci.repository.insecure": "true" }],
    ["signers.x509.fulcio.enabled", keyless],
    ["storage.oci.encoding-format", { "transparency.enabled": "true", "transparency.version": "v2" }],
    [
      "transparency.version",
      { ...keyless, "transparency.enabled": "true", "transparency.version": "v2", "storage.oci.encoding-format": "both" },
    ],
  ])("%s", (key, map: Readonly<Record<string, string>>) => {
    expect(warned(map)).toEqual([key]);
  });

  test.each([
    [{ "storage.oci.repository": "r.example/x" }],
    [{ ...keyless, "transparency.enabled": "manual" }],
    [
      {
        ...keyless,
        "transparency.enabled": "true",
        "transparency.version": "v2",
        "transparency.tsa.url": "https://tsa.example",
        "storage.oci.encoding-format": "both",
      },
    ],
    [{ "artifacts.oci.storage": "tekton", "storage.oci.repository.insecure": "true" }],
  ])("%j says nothing", (map: Readonly<Record<string, string>>) => {
    expect(warned(map)).toEqual([]);
  });
});
