import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foundInBundle } from "@countersign/bundle";
import type { Http, HttpResponse } from "@countersign/http";
import { ociStorage } from "@countersign/storage-oci";
import { type Policy, type TrustMaterial, trustedRootFrom, trustFromPem, verify } from "@countersign/verify";
import { describe, expect, test } from "vitest";

/** What cosign 3.1.1 and Tekton Chains wrote into a registry, as recorded, is found and verifies: with keys, certificates and logs. */
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

const text = (...path: readonly string[]): string => readFileSync(join(golden, ...path), "utf8");

/** Whom each recording is to be believed for. */
const whom = {
  key: (): TrustMaterial => trustFromPem(text("keys", "cosign.pub")),
  "x509 key": (): TrustMaterial => trustFromPem(text("keys", "x509.pub")),
  "key and log": (): TrustMaterial => ({ ...whom.key(), sigstore: trustedRootFrom(text("keys", "trusted-root-rekor.json")) }),
  "tags by Fulcio": (): TrustMaterial => keyless("trusted-root-for-chains-dsse-fulcio-tlog.json"),
  "bundles by Fulcio": (): TrustMaterial => keyless("trusted-root-for-chains-bundle-fulcio-tlog.json"),
} as const;
type Whom = keyof typeof whom;
const keyless = (file: string): TrustMaterial => ({ publicKeys: [], sigstore: trustedRootFrom(text("keys", file)) });

/** That CA stamped no certificates. */
const controller: Policy = {
  certificateLog: "ignored",
  identity: {
    certificateIdentity: "https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller",
    oidcIssuer: "https://issuer.example",
  },
};
const policyFor = (who: Whom): Policy => (who.endsWith("by Fulcio") ? controller : {});

const tags = [
  ["cosign-3.1.1/sign-tag", "sig", "key", 1, []],
  ["cosign-3.1.1/sign-tag", "sig", "key and log", 1, ["log-entry"]],
  ["cosign-3.1.1/sign-tag-tlog", "sig", "key and log", 1, []],
  ["cosign-3.1.1/attest-tag-two-layers", "att", "key", 2, []],
  ["cosign-3.1.1/attest-tag-tlog", "att", "key and log", 1, []],
  ["cosign-3.1.1/attest-tag-tlog", "att", "x509 key", 1, ["signature"]],
  ["chains/dsse-cosignkey/sig", "sig", "key", 1, []],
  ["chains/dsse-cosignkey/att", "att", "key", 1, []],
  ["chains/dsse-cosignkey-tlog/att", "att", "key and log", 1, []],
  // Chains leaves the log's word out of signatures
  ["chains/dsse-cosignkey-tlog/sig", "sig", "key and log", 1, ["log-entry"]],
  ["chains/dsse-fulcio-tlog/att", "att", "tags by Fulcio", 1, []],
  ["chains/dsse-fulcio-tlog/att", "att", "bundles by Fulcio", 1, ["certificate"]],
  ["chains/dsse-fulcio-tlog/sig", "sig", "tags by Fulcio", 1, ["log-entry", "timestamp"]],
] as const;

const bundles = [
  ["cosign-3.1.1/sign-bundle/signature", "key", []],
  ["cosign-3.1.1/sign-bundle-tlog/signature", "key and log", []],
  ["cosign-3.1.1/sign-bundle-signing-config/signature", "key and log", []],
  ["cosign-3.1.1/attest-bundle/attestation", "key", []],
  ["cosign-3.1.1/attest-bundle/attestation", "x509 key", ["signature"]],
  ["cosign-3.1.1/attest-bundle-tlog/attestation", "key and log", []],
  ["chains/bundle-cosignkey/attestation", "key", []],
  // Chains puts a bare image signature into an envelope: cosign refuses that form, but the key did sign this document
  ["chains/bundle-cosignkey/signature", "key", []],
  ["chains/bundle-cosignkey/signature", "x509 key", ["signature"]],
  ["chains/bundle-cosignkey-slsa1/attestation", "key", []],
  ["chains/bundle-cosignkey-tlog/attestation", "key and log", []],
  ["chains/bundle-fulcio-tlog/attestation", "bundles by Fulcio", []],
  ["chains/bundle-fulcio-tlog/attestation", "tags by Fulcio", ["certificate"]],
] as const;

describe.skipIf(!present)(`what was recorded${present ? "" : " — skipped: no ../shared/golden beside the repository"}`, () => {
  test.each(tags)("%s: %s, %s", async (folder, suffix, who, count, refused) => {
    const storage = ociStorage({ http: recorded(join(golden, folder), suffix), credentials: async () => [] });
    const attached = await storage.discover(`registry.example/team/app@${image}`, { signal: AbortSignal.timeout(10_000) });
    expect(attached.map(({ kind }) => kind)).toEqual(Array.from({ length: count }, () => (suffix === "sig" ? "signature" : "attestation")));
    for (const { found, payload } of attached) {
      expect(found.digest).toBe(digestOf(payload).slice("sha256:".length));
      const { reasons } = verify(found, payload, whom[who](), policyFor(who));
      expect(
        reasons.map(({ check }) => check),
        JSON.stringify(reasons),
      ).toEqual(refused);
    }
  });

  test.each(bundles)("%s.bundle.json, %s", (path, who, refused) => {
    const read = foundInBundle(text(`${path}.bundle.json`));
    if (!read) return expect.fail("no bundle");
    const { reasons } = verify(read.found, read.payload, whom[who](), policyFor(who));
    expect(
      reasons.map(({ check }) => check),
      JSON.stringify(reasons),
    ).toEqual(refused);
  });

  test("where nobody logged, a certificate is good at the time that is handed in", async () => {
    const storage = ociStorage({ http: recorded(join(golden, "chains/dsse-fulcio-tlog/sig"), "sig"), credentials: async () => [] });
    const [one] = await storage.discover(`registry.example/team/app@${image}`, { signal: AbortSignal.timeout(10_000) });
    if (!one) return expect.fail("nothing attached");
    const at = (time: string): readonly string[] =>
      verify(one.found, one.payload, whom["tags by Fulcio"](), { ...controller, log: "ignored", at: time }).reasons.map(
        ({ check }) => check,
      );
    expect(at("2026-11-22T04:00:00Z")).toEqual([]);
    expect(at("2026-11-22T05:00:00Z")).toEqual(["certificate"]);
  });
});
