import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Layer } from "@countersign/bundle";
import { type ImageManifest, parseImageManifest } from "@countersign/oci-client";
import { describe, expect, test } from "vitest";
import { appended } from "./tag-scheme.ts";

const golden = join(import.meta.dirname, "../../../../../shared/golden/oci");
const captures = [
  "chains/dsse-cosignkey/sig",
  "chains/dsse-cosignkey/att",
  "chains/dsse-cosignkey-tlog/sig",
  "chains/dsse-cosignkey-tlog/att",
  "chains/dsse-fulcio-tlog/sig",
  "chains/dsse-fulcio-tlog/att",
  "chains/dsse-missing-subject-image/att",
  "cosign-3.1.1/sign-tag",
  "cosign-3.1.1/sign-tag-tlog",
  "cosign-3.1.1/attest-tag-two-layers",
];

describe.skipIf(!existsSync(golden))(
  `recorded manifests${existsSync(golden) ? "" : " — skipped: no ../shared/golden beside the repository"}`,
  () => {
    test.each(captures)("%s is made again, byte for byte, from its layers", (folder) => {
      const file = (name: string): Buffer => readFileSync(join(golden, folder, name));
      const recorded = parseImageManifest(file("manifest.json"));
      let manifest: ImageManifest | undefined;
      let last: ReturnType<typeof appended> | undefined;
      for (const [i, { mediaType, annotations = {} }] of recorded.layers.entries()) {
        const layer: Layer = { mediaType, bytes: file(`layer${i}.json`), annotations };
        last = appended(manifest, [layer]);
        manifest = parseImageManifest(last.manifest);
      }
      expect(Buffer.from(last?.manifest ?? "").toString()).toBe(file("manifest.json").toString());
      expect(Buffer.from(last?.config ?? "").toString()).toBe(file("config.json").toString());
    });
  },
);

test("the configuration of one layer has 233 bytes", () => {
  expect(appended(undefined, [{ mediaType: "m", bytes: Buffer.from("x"), annotations: {} }]).config?.length).toBe(233);
});
