import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { RFC3161Timestamp } from "@sigstore/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { integer, nothing, octets, oid, sequence } from "./der.ts";
import { type TimestampAuthority, timestampAuthority } from "./timestamp-authority.ts";

const at = Date.parse("2026-11-24T12:00:00Z");
const message = Buffer.from("a signature");
const digest = createHash("sha256").update(message).digest();

let authority: TimestampAuthority;
beforeEach(async () => {
  authority = await timestampAuthority({ now: () => at });
});
afterEach(() => authority.close());

const leafKey = () => createPublicKey(authority.authority.certificates[0] ?? "");
const query = (...rest: Uint8Array[]): Uint8Array =>
  sequence(integer(Buffer.of(1)), sequence(sequence(oid("2.16.840.1.101.3.4.2.1"), nothing()), octets(digest)), ...rest);

async function reply(body: string | Uint8Array, type = "application/timestamp-query") {
  const answer = await fetch(`${authority.url}/api/v1/timestamp`, {
    method: "POST",
    body: body as string,
    headers: { "content-type": type },
  });
  return { status: answer.status, token: Buffer.from(await answer.arrayBuffer()) };
}

test("a token over the hash that was sent, with the time and its own signature", async () => {
  const { token } = await reply(query(integer(Buffer.from("00ff", "hex"))));
  const timestamp = RFC3161Timestamp.parse(token);
  timestamp.verify(message, leafKey());
  expect(timestamp.signingTime.getTime()).toBe(at);
  expect(() => timestamp.verify(Buffer.from("other"), leafKey())).toThrow(/imprint/);
  expect(authority.issued).toBe(1);
});

test("JSON is taken, too", async () => {
  const body = JSON.stringify({ artifactHash: digest.toString("base64"), hashAlgorithm: "sha256", nonce: 4711, certificates: true });
  RFC3161Timestamp.parse((await reply(body, "application/json")).token).verify(message, leafKey());
});

test("its own certificate is for timestamps alone and leads to the root", () => {
  const [leaf, root] = authority.authority.certificates.map((pem) => new X509Certificate(pem));
  expect(leaf?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.8"]);
  expect(root && leaf?.checkIssued(root) && leaf.verify(root.publicKey)).toBe(true);
});

test.each([
  ["a nonce with a needless zero", query(Buffer.from("02020001", "hex"))],
  ["no query", Buffer.from("hello")],
  ["a hash that is too short", sequence(integer(Buffer.of(1)), sequence(sequence(oid("2.16.840.1.101.3.4.2.1")), octets(Buffer.of(1))))],
])("%s is refused", async (_, body) => {
  expect((await reply(body)).status).toBe(400);
});
