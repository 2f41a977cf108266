import { verify } from "node:crypto";
import { CountersignError, type Signer } from "@countersign/core";
import { keyidOf, preAuthEncoding } from "@countersign/in-toto-attestation";
import { fakeSigner } from "@countersign/testing";
import { type Bundle, DSSEBundleBuilder, MessageSignatureBundleBuilder, type Signer as SigstoreSigner } from "@sigstore/sign";
import { expect, test } from "vitest";
import { toSigstore } from "./to-sigstore.ts";

const data = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
const type = "application/vnd.in-toto+json";
const varying = () => fakeSigner({ nature: "varies" });

const contentOf = (bundle: Bundle): { readonly [name: string]: unknown } => bundle.content as never;

test("it is a signer of @sigstore/sign, as its types have it", () => {
  const signer: SigstoreSigner = toSigstore(varying());
  expect(signer).toBeDefined();
});

test("an envelope: the pre-authentication encoding is signed, the keyid is one that cosign takes", async () => {
  const signer = varying();
  const bundle = await new DSSEBundleBuilder({ signer: toSigstore(signer), witnesses: [] }).create({ data, type });
  const { dsseEnvelope } = contentOf(bundle) as {
    dsseEnvelope: { payload: Buffer; payloadType: string; signatures: { sig: Buffer; keyid: string }[] };
  };
  const [signature] = dsseEnvelope.signatures;
  expect([dsseEnvelope.payload, dsseEnvelope.payloadType, signature?.keyid]).toEqual([data, type, keyidOf(signer.publicKey)]);
  expect(verify("sha256", preAuthEncoding(type, data), signer.publicKey, signature?.sig ?? Buffer.alloc(0))).toBe(true);
});

test("a message", async () => {
  const signer = varying();
  const bundle = await new MessageSignatureBundleBuilder({ signer: toSigstore(signer), witnesses: [] }).create({ data });
  const { messageSignature } = contentOf(bundle) as { messageSignature: { signature: Buffer } };
  expect(verify("sha256", data, signer.publicKey, messageSignature.signature)).toBe(true);
});

test("a certificate stands in the place of the key", async () => {
  const signer: Signer = {
    name: "certified",
    sign: async () => ({ bytes: Buffer.of(1), algorithm: "ecdsa-sha256", publicKey: "k", certificate: "c", chain: "d" }),
  };
  expect(await toSigstore(signer).sign(data)).toEqual({ signature: Buffer.of(1), key: { $case: "x509Certificate", certificate: "c" } });
});

test("failures and aborts come through as they are", async () => {
  const signer = varying();
  signer.fails = new CountersignError("sign.key-missing", "no key", { retry: "hold" });
  await expect(new DSSEBundleBuilder({ signer: toSigstore(signer), witnesses: [] }).create({ data, type })).rejects.toBe(signer.fails);
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  await expect(toSigstore(varying(), { signal: stop.signal }).sign(data)).rejects.toThrow("stopped");
});
