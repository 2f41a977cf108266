import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { leafHash, nodeHash, parseCheckpoint } from "@countersign/bundle";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RekorTiles, rekorTiles } from "./rekor-tiles.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
type Loose = any;
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rawBytes = publicKey.export({ type: "spki", format: "der" }).toString("base64");

function proposal(
  text: string,
  changes: object = {},
  verifier: object = { publicKey: { rawBytes }, keyDetails: "PKIX_ECDSA_P256_SHA_256" },
): object {
  const digest = createHash("sha256").update(text).digest("base64");
  const content = sign("sha256", Buffer.from(text), privateKey).toString("base64");
  return { hashedRekordRequestV002: { digest, signature: { content, verifier }, ...changes } };
}

let log: RekorTiles;
beforeEach(async () => {
  log = await rekorTiles();
});
afterEach(() => log.close());

const create = (body: object) => fetch(`${log.url}/api/v2/log/entries`, { method: "POST", body: JSON.stringify(body) });
const read = async (path: string) => Buffer.from(await (await fetch(log.url + path)).arrayBuffer());

test("an entry comes with its proof under a checkpoint of the log's name", async () => {
  await create(proposal("one"));
  const answer = await create(proposal("two"));
  const said: Loose = await answer.json();
  expect([answer.status, said.logIndex, said.integratedTime, said.inclusionPromise]).toEqual([201, "1", "0", null]);
  const checkpoint = parseCheckpoint(said.inclusionProof.checkpoint.envelope);
  expect(checkpoint).toMatchObject({ origin: "127.0.0.1", size: 2n });
  const leaf = leafHash(Buffer.from(said.canonicalizedBody, "base64"));
  expect(nodeHash(Buffer.from(said.inclusionProof.hashes[0], "base64"), leaf)).toEqual(checkpoint?.rootHash);
});

test("the same again is a conflict that names the place", async () => {
  const body = proposal("one");
  await create(proposal("zero"));
  await create(body);
  const answer = await create(body);
  expect([answer.status, answer.headers.get("x-log-index")]).toEqual([409, "1"]);
  expect(log.entries).toHaveLength(2);
});

test.each<[string, object]>([
  ["another hash than the signed one", proposal("one", { digest: createHash("sha256").update("other").digest("base64") })],
  ["a hash of another length", proposal("one", { digest: "AAAA" })],
  ["a key that is no certificate", proposal("one", {}, { x509Certificate: { rawBytes }, keyDetails: "PKIX_ECDSA_P256_SHA_256" })],
  ["an algorithm that does not fit the key", proposal("one", {}, { publicKey: { rawBytes }, keyDetails: "PKIX_ECDSA_P384_SHA_384" })],
  ["an envelope", { dsseRequestV002: {} }],
  ["nothing", {}],
])("%s is refused", async (_, body) => {
  expect((await create(body)).status).toBe(400);
  expect(log.entries).toEqual([]);
});

test("checkpoint, tiles and entries can be read", async () => {
  // RSA is verified natively, ECDSA over a bare hash is not.
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const spki = rsa.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const verifier = { publicKey: { rawBytes: spki }, keyDetails: "PKIX_RSA_PKCS1V15_2048_SHA256" };
  for (let n = 0; n < 258; n += 1) {
    const content = sign("sha256", Buffer.from(`entry ${n}`), rsa.privateKey).toString("base64");
    await create(proposal(`entry ${n}`, { signature: { content, verifier } }));
  }
  expect(parseCheckpoint((await read("/api/v2/checkpoint")).toString())?.size).toBe(258n);
  const full = await read("/api/v2/tile/0/000");
  expect([full.length, (await read("/api/v2/tile/0/001.p/2")).length, (await read("/api/v2/tile/1/000.p/1")).length]).toEqual([
    8192, 64, 32,
  ]);
  const leaf = leafHash(Buffer.from(log.entries[0]?.body ?? ""));
  expect(full.subarray(0, 32)).toEqual(leaf);
  const bundle = await read("/api/v2/tile/entries/001.p/2");
  expect(bundle.subarray(2, 2 + bundle.readUInt16BE()).toString()).toBe(log.entries[256]?.body);
  expect((await fetch(`${log.url}/api/v2/tile/0/001`)).status).toBe(404);
});

test("a server that only takes entries shows neither", async () => {
  const blind = await rekorTiles({ readable: false });
  expect((await fetch(`${blind.url}/api/v2/checkpoint`)).status).toBe(501);
  await blind.close();
});
