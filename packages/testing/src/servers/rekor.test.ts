import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { nodeHash } from "@countersign/bundle";
import { envelopeText, keyidOf, preAuthEncoding } from "@countersign/in-toto-attestation";
import { ed25519ph } from "@noble/curves/ed25519.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { merkleTree } from "./merkle-tree.ts";
import { isSignatureOverHash } from "./prehashed.ts";
import { type Rekor, rekor } from "./rekor.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
type Loose = any;
const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const type = "application/vnd.in-toto+json";

function dsse(text: string, keyid = keyidOf(pem)): object {
  const payload = Buffer.from(text);
  const envelope = envelopeText(type, payload, { keyid, bytes: sign("sha256", preAuthEncoding(type, payload), pair.privateKey) });
  return { apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent: { envelope, verifiers: [base64(pem)] } } };
}

function hashed(text: string, curve = pair, algorithm = "sha256"): object {
  const value = createHash(algorithm).update(text).digest("hex");
  const content = base64(sign(algorithm, Buffer.from(text), curve.privateKey));
  const key = curve.publicKey.export({ type: "spki", format: "pem" }).toString();
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: { data: { hash: { algorithm, value } }, signature: { content, publicKey: { content: base64(key) } } },
  };
}

let log: Rekor;
beforeEach(async () => {
  log = await rekor();
});
afterEach(() => log.close());

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; said: Loose }> {
  const answer = await fetch(log.url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, said: text.startsWith("-----") ? text : JSON.parse(text) };
}
const create = (proposal: unknown) => ask("POST", "/api/v1/log/entries", proposal);

test("an entry comes back by number, by name with and without tree, by proposal and by search", async () => {
  const subject = "ab".repeat(32);
  const proposal = dsse(`{"subject":[{"digest":{"sha256":"${subject}"}}]}`);
  const { status, headers, said } = await create(proposal);
  expect(status).toBe(201);
  const [uuid = ""] = Object.keys(said);
  expect(headers.get("location")).toBe(`/api/v1/log/entries/${uuid}`);
  const same = async (method: string, path: string, body?: unknown) => (await ask(method, path, body)).said;
  expect(Object.keys(await same("GET", "/api/v1/log/entries?logIndex=0"))).toEqual([uuid]);
  expect(Object.keys(await same("GET", `/api/v1/log/entries/${uuid}`))).toEqual([uuid]);
  expect(Object.keys(await same("GET", `/api/v1/log/entries/${uuid.slice(16)}`))).toEqual([uuid]);
  for (const asked of [{ entryUUIDs: [uuid], entries: null, logIndexes: null }, { logIndexes: [0] }, { entries: [proposal] }])
    expect(Object.keys((await same("POST", "/api/v1/log/entries/retrieve", asked))[0])).toEqual([uuid]);
  const payloadHash = JSON.parse(log.entries[0]?.body ?? "").spec.payloadHash.value;
  for (const hash of [payloadHash, `sha256:${payloadHash}`, `sha256:${subject}`])
    expect(await same("POST", "/api/v1/index/retrieve", { hash })).toEqual([uuid]);
  expect(await same("POST", "/api/v1/index/retrieve", { hash: "00".repeat(32) })).toEqual([]);
  expect((await ask("POST", "/api/v1/index/retrieve", { hash: "sha256:00" })).status).toBe(422);
});

test("the same again is a conflict that says where it is, also under another spelling of the proposal", async () => {
  const { said } = await create(hashed("one"));
  const again = await create({ ...hashed("one"), spec: JSON.parse(JSON.stringify((hashed("one") as Loose).spec)) });
  expect(again.status).toBe(201); // another ECDSA signature is another entry
  const proposal = hashed("two");
  const [uuid] = Object.keys((await create(proposal)).said);
  const conflict = await create(proposal);
  expect([conflict.status, conflict.headers.get("location")]).toEqual([409, `/api/v1/log/entries/${uuid}`]);
  expect(Object.keys(said)[0]).not.toBe(uuid);
  expect(log.entries).toHaveLength(3);
});

describe("it refuses", () => {
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const bad = dsse("{}") as Loose;
  bad.spec.proposedContent.envelope = bad.spec.proposedContent.envelope.replace(base64("{}"), base64("[]"));
  const other = hashed("x") as Loose;
  other.spec.data.hash.value = createHash("sha256").update("y").digest("hex");
  test.each<[string, unknown]>([
    ["an envelope whose signature does not verify", bad],
    ["a hash that was not signed", other],
    ["a curve with another's hash", hashed("x", p384, "sha256")],
    ["a version it does not know", { kind: "dsse", apiVersion: "9.9.9", spec: {} }],
    ["a proposal without content", { kind: "dsse", apiVersion: "0.0.1", spec: {} }],
    ["what is no object", "text"],
  ])("%s", async (_, proposal) => {
    expect((await create(proposal)).status).toBe(400);
    expect(log.entries).toEqual([]);
  });

  test("a kind it does not know, before it looks inside", async () => {
    expect((await create({ kind: "rpm", apiVersion: "0.0.1", spec: {} })).status).toBe(422);
  });

  test("and takes P-384 with its own hash, and an envelope whose keyid is another's name", async () => {
    expect((await create(hashed("x", p384, "sha384"))).status).toBe(201);
    expect((await create(dsse("{}", "SHA256:other"))).status).toBe(201);
  });
});

test("the tree's sizes are consistent with one another, and its head is signed", async () => {
  for (let n = 0; n < 7; n += 1) await create(hashed(`entry ${n}`));
  const { said } = await ask("GET", "/api/v1/log");
  expect([said.treeSize, said.inactiveShards]).toEqual([7, null]);
  expect(said.signedTreeHead.split("\n").slice(0, 2)).toEqual([`rekor.localhost - ${said.treeID}`, "7"]);
  const proof = await ask("GET", "/api/v1/log/proof?firstSize=3&lastSize=7");
  // RFC 6962 section 2.1.3: the consistency proof of 3 and 7 is [c, d, g, l].
  expect(proof.said.hashes).toHaveLength(4);
  expect(proof.said.rootHash).toBe(said.rootHash);
  expect((await ask("GET", "/api/v1/log/proof?firstSize=3&lastSize=8")).status).toBe(400);
});

test("another tree follows: numbers go on, the old key still speaks for old entries", async () => {
  await create(hashed("old"));
  const oldKey = log.publicKey;
  log.rotate();
  await create(hashed("new"));
  expect(log.publicKey).not.toBe(oldKey);
  const logIdOf = async (n: number) => (Object.values((await ask("GET", `/api/v1/log/entries?logIndex=${n}`)).said)[0] as Loose).logID;
  const ids = log.logs.map(({ keyId }) => Buffer.from(keyId, "base64").toString("hex"));
  expect([await logIdOf(0), await logIdOf(1)]).toEqual(ids);
  expect((await ask("GET", "/api/v1/log/publicKey")).said).toBe(log.publicKey);
});

test("what it does not keep is not found", async () => {
  expect((await ask("GET", "/api/v1/log/entries?logIndex=0")).status).toBe(404);
  expect((await ask("GET", `/api/v1/log/entries/${"0".repeat(64)}`)).status).toBe(404);
  expect((await ask("GET", "/nothing")).status).toBe(404);
});

test("the tree holds RFC 6962's examples", () => {
  const leaves = Array.from({ length: 7 }, (_, n) => createHash("sha256").update(`${n}`).digest());
  const tree = merkleTree();
  for (const leaf of leaves) tree.append(leaf);
  const [a, b, c, d, e, f, j] = leaves as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
  const [g, h, i] = [nodeHash(a, b), nodeHash(c, d), nodeHash(e, f)];
  const [k, l] = [nodeHash(g, h), nodeHash(i, j)];
  expect(tree.root()).toEqual(nodeHash(k, l));
  expect(tree.inclusion(0)).toEqual([b, h, l]);
  expect(tree.inclusion(3)).toEqual([c, g, l]);
  expect(tree.inclusion(4)).toEqual([f, j, k]);
  expect(tree.inclusion(6)).toEqual([i, k]);
  expect(tree.consistency(3, 7)).toEqual([c, d, g, l]);
  expect(tree.consistency(4, 7)).toEqual([l]);
  expect(tree.consistency(6, 7)).toEqual([i, j, k]);
  expect(tree.root(3)).toEqual(nodeHash(g, c));
});

test("signatures over hashes: ECDSA, RSA and prehashed Ed25519", () => {
  const message = Buffer.from("message");
  const digestOf = (algorithm: string): Buffer => createHash(algorithm).update(message).digest();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" });
  const edwards = generateKeyPairSync("ed25519");
  const seed = Buffer.from(edwards.privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  const rows = [
    [rsa.publicKey, "sha256", sign("sha256", message, rsa.privateKey)],
    [p521.publicKey, "sha512", sign("sha512", message, p521.privateKey)],
    [edwards.publicKey, "sha512", ed25519ph.sign(message, seed)],
  ] as const;
  for (const [key, algorithm, signature] of rows) {
    expect(isSignatureOverHash(key, digestOf(algorithm), algorithm, signature)).toBe(true);
    expect(isSignatureOverHash(key, createHash(algorithm).update("other").digest(), algorithm, signature)).toBe(false);
    const changed = Buffer.from(signature);
    changed.writeUInt8((changed.at(-1) ?? 0) ^ 1, changed.length - 1);
    expect(isSignatureOverHash(key, digestOf(algorithm), algorithm, changed)).toBe(false);
  }
  expect(isSignatureOverHash(edwards.publicKey, digestOf("sha512"), "sha512", sign(null, message, edwards.privateKey))).toBe(false);
});
