import { verify, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { attestRun, failuresOf } from "@countersign/attest";
import { sigstoreBundle } from "@countersign/bundle";
import type { Attestation, Formatter } from "@countersign/core";
import { route } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { keylessSigner } from "@countersign/signers-keyless";
import { rekorWitness } from "@countersign/storage-rekor";
import { memoryStorage, misbehave } from "@countersign/testing";
import { trustedRootFrom } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cosign, type Sigstore, startSigstore, tempFolder } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** Our keyless signer with the real Fulcio, its real CT log and the real Rekor; cosign judges. */

const call = { signal: new AbortController().signal };
const message = Buffer.from("a message");
const ann = { email: "ann@example.test", email_verified: true };

let sigstore: Sigstore;
let net: Http;
beforeAll(async () => {
  sigstore = await startSigstore();
  net = http();
});
afterAll(() => Promise.all([sigstore?.stop(), net?.close()]));

const tokens =
  (claims: object = ann, how: { readonly lifeMs?: number } = {}) =>
  async () => ({
    token: sigstore.issuer.token({ ...claims }, how),
    source: "the test",
  });
const trust = async () => trustedRootFrom(sigstore.trustedRoot.text);
const signerWith = (options: Partial<Parameters<typeof keylessSigner>[0]> = {}) =>
  keylessSigner({ url: sigstore.fulcio.url, http: net, tokens: tokens(), trust, ...options });

describe.each(["v2", "v1"])("by the API's version %s", (version) => {
  test("a certificate that our checks let pass, SCT and all; many signatures under it; recognised", async () => {
    const proxy = await misbehave(sigstore.fulcio.url);
    proxy.fault = ({ path }) => (version === "v1" && path.startsWith("/api/v2") ? { kind: "status", status: 404 } : undefined);
    const signer = signerWith({ url: proxy.url });
    const [one, other] = await Promise.all([signer.sign(message, call), signer.sign(message, call)]);
    expect(one.certificate).toBe(other.certificate);
    expect(verify("sha256", message, one.publicKey, one.bytes)).toBe(true);
    expect(new X509Certificate(one.certificate ?? "").subjectAltName).toBe("email:ann@example.test");
    expect(new X509Certificate(one.certificate ?? "").verify(new X509Certificate(one.chain ?? "").publicKey)).toBe(true);
    expect(proxy.requests.map(({ path }) => path).at(-1)).toBe(`/api/${version}/signingCert`);
    expect(await signerWith().recognise?.(message, [{ bytes: one.bytes, certificate: one.certificate ?? "" }], call)).toEqual({
      ...one,
      chain: `${one.chain?.trimEnd()}\n`, // the legacy API's answer ends without a line end
    });
    await proxy.close();
  });
});

test.each([
  ["another audience", { ...ann, aud: "elsewhere" }, {}, "sign.ca-refused", "hold", "audience sigstore"],
  ["an issuer that Fulcio does not know", { ...ann, iss: "http://127.0.0.1:1" }, {}, "sign.ca-refused", "hold", "must be among those"],
  ["just expired", ann, { lifeMs: -60_000 }, "sign.token-expired", "wait", "expired 1 min ago"],
] as const)("%s: what the real Fulcio's answer becomes", async (_, claims, how, code, retry, words) => {
  await expect(signerWith({ tokens: tokens(claims, how) }).sign(message, call)).rejects.toMatchObject({
    code,
    retry,
    message: expect.stringContaining(words),
  });
});

test("another CT log in the trust root: the certificate is refused", async () => {
  const root = trustedRootFrom(sigstore.trustedRoot.text);
  const other = async () => ({ ...root, ctLogs: root.logs });
  await expect(signerWith({ trust: other }).sign(message, call)).rejects.toMatchObject({
    code: "sign.certificate-untrusted",
    retry: "wait",
  });
});

const ref = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" } as const;
const run = {
  ref,
  annotations: {},
  artifact: { kind: "taskrun", run: ref, serviceAccount: "default", shortKey: "taskrun-u1", fullKey: "x" } as const,
};
const blob = "of the build\n";
const provenance: Formatter<typeof run> = {
  name: "slsa/v2alpha4",
  format: () => ({
    format: "slsa/v2alpha4",
    envelope: "dsse",
    mediaType: "application/vnd.in-toto+json",
    subjects: [],
    body: Buffer.from(
      JSON.stringify({
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ name: "blob", digest: { sha256: "ab11f6f9f9cd4a2ac6e5f6a5ea2e1f0ec7a9c9d2f37df7bf0b0ff8cf8c9b2f51" } }],
        predicateType: "https://slsa.dev/provenance/v1",
        predicate: {},
      }),
    ),
  }),
};

test("cosign accepts our bundle, and refuses another name", async () => {
  const folder = tempFolder("keyless");
  const witness = rekorWitness({ url: sigstore.rekor.url, http: net, trust });
  const report = await attestRun(
    run,
    [route(run, provenance, { signer: signerWith(), witnesses: [witness], backends: [memoryStorage()] })],
    call,
  );
  expect(failuresOf(report)).toEqual([]);
  writeFileSync(`${folder}/bundle.json`, sigstoreBundle(report.outcomes[0]?.attestation as Attestation));
  writeFileSync(`${folder}/blob`, blob);
  const verified = (name: string, more: readonly string[] = []): Promise<number> =>
    cosign(
      [
        "verify-blob-attestation",
        `--bundle=${folder}/bundle.json`,
        `--trusted-root=${sigstore.trustedRoot.file}`,
        `--certificate-identity=${name}`,
        `--certificate-oidc-issuer=${sigstore.issuer.url}`,
        "--check-claims=false",
        "--type=slsaprovenance1",
        ...more,
        `${folder}/blob`,
      ],
      {},
      { mayFail: true },
    ).then(({ code }) => code);
  expect(await verified("ann@example.test")).toBe(0);
  expect(await verified("bob@example.test")).not.toBe(0);
});
