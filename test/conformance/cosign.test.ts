import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@countersign/bundle";
import type { Http, HttpResponse } from "@countersign/http";
import { inTotoPayloadType } from "@countersign/in-toto-attestation";
import { ociStorage } from "@countersign/storage-oci";
import { describe, expect, test } from "vitest";

/** What cosign 3.1.1 and Tekton Chains wrote into a registry, as recorded, is found by discover() and verifies. */
const golden = join(import.meta.dirname, "../../../shared/golden/oci");
const present = existsSync(golden);

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const image = `sha256:${"a".repeat(64)}`;

/** A registry that holds one recorded tag and its blobs. */
function recorded(folder: string, suffix: "sig" | "att"): Http {
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  const blobs = new Map(files.map((bytes) => [digestOf(bytes), bytes]));
  const manifest = readFileSync(join(folder, "manifest.json"));
  const answer = (status: number, body: Uint8Array = Buffer.alloc(0)): HttpResponse => ({
    status,
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body,
  });
  return {
    async request({ url }) {
      const name = new URL(url).pathname.split("/").at(-1) ?? "";
      if (name === `${image.replace(":", "-")}.${suffix}`) return answer(200, manifest);
      const blob = blobs.get(name);
      return blob ? answer(200, blob) : answer(404);
    },
    stream: () => Promise.reject(new Error("not needed")),
    close: async () => undefined,
  };
}

const recordings = [
  ["cosign-3.1.1/sign-tag", "sig", "cosign.pub", 1],
  ["cosign-3.1.1/sign-tag-tlog", "sig", "cosign.pub", 1],
  ["cosign-3.1.1/attest-tag-two-layers", "att", "cosign.pub", 2],
  ["cosign-3.1.1/attest-tag-tlog", "att", "cosign.pub", 1],
  ["chains/dsse-cosignkey/sig", "sig", "cosign.pub", 1],
  ["chains/dsse-cosignkey/att", "att", "cosign.pub", 1],
  ["chains/dsse-cosignkey-tlog/att", "att", "cosign.pub", 1],
  ["chains/dsse-fulcio-tlog/sig", "sig", undefined, 1],
  ["chains/dsse-fulcio-tlog/att", "att", undefined, 1],
] as const;

describe.skipIf(!present)(`recorded tags${present ? "" : " — skipped: no ../shared/golden beside the repository"}`, () => {
  test.each(recordings)("%s", async (folder, suffix, key, count) => {
    const storage = ociStorage({ http: recorded(join(golden, folder), suffix), credentials: async () => [] });
    const attached = await storage.discover(`registry.example/team/app@${image}`, { signal: AbortSignal.timeout(10_000) });
    expect(attached.map(({ kind }) => kind)).toEqual(Array.from({ length: count }, () => (suffix === "sig" ? "signature" : "attestation")));
    for (const { found, payload } of attached) {
      const envelope = suffix === "sig" ? "none" : "dsse";
      const message = messageOf({ format: "", envelope, mediaType: inTotoPayloadType, body: payload, subjects: [] });
      const publicKey = key ? readFileSync(join(golden, "keys", key), "utf8") : (found.signature.certificate ?? "");
      expect(verify("sha256", message, createPublicKey(publicKey), found.signature.bytes)).toBe(true);
      expect(found.digest).toBe(digestOf(payload).slice("sha256:".length));
    }
  });
});
