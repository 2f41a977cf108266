import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type Http, http } from "@countersign/http";
import { timestampWitness } from "@countersign/storage-rekor";
import { anAttestation, timestampAuthority, trustedRoot } from "@countersign/testing";
import { trustedRootFrom } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../parts/run.ts";
import { request, startTimestampServer, tempFolder } from "./harness/index.ts";
import "./harness/on-failure.ts";

/**
 * The same queries to packages/testing's timestamp authority and to the real one. Allowed to differ: the texts of refusals, and the
 * length of the chain.
 */
let real: Awaited<ReturnType<typeof startTimestampServer>>;
let fake: Awaited<ReturnType<typeof timestampAuthority>>;
let wire: Http;
interface Side {
  readonly url: string;
  readonly certificates: readonly string[];
}
let sides: readonly [Side, Side];
const folder = tempFolder("timestamps");

beforeAll(async () => {
  [real, fake] = await Promise.all([startTimestampServer(), timestampAuthority()]);
  wire = http({ env: {} });
  const chain = real.chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  sides = [
    { url: fake.url, certificates: fake.authority.certificates },
    { url: new URL(real.url).origin, certificates: chain.map((pem) => `${pem}\n`) },
  ];
});
afterAll(() => Promise.all([real?.stop(), fake?.close(), wire?.close()]));

async function alike<T>(look: (side: Side) => Promise<T>): Promise<T> {
  const [ours, theirs] = await Promise.all([look(sides[0]), look(sides[1])]);
  expect(ours).toEqual(theirs);
  return theirs;
}

const digest = (algorithm = "sha256"): Buffer => createHash(algorithm).update("hello").digest();
interface Asked {
  readonly status: number;
  readonly type: string | null;
  readonly bytes: Buffer;
}
async function ask({ url }: Side, body: Uint8Array<ArrayBuffer> | string, type = "application/timestamp-query"): Promise<Asked> {
  const answer = await fetch(`${url}/api/v1/timestamp`, { method: "POST", body, headers: { "content-type": type } });
  return { status: answer.status, type: answer.headers.get("content-type"), bytes: Buffer.from(await answer.arrayBuffer()) };
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer<ArrayBuffer> => {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, value.length), value]);
};
const oids = {
  sha256: "0609608648016503040201",
  sha384: "0609608648016503040202",
  sha512: "0609608648016503040203",
  sha1: "06052b0e03021a",
};
interface Question {
  readonly algorithm?: keyof typeof oids;
  readonly imprint?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly certificates?: boolean;
  readonly version?: number;
}
function query({
  algorithm = "sha256",
  imprint = digest(algorithm),
  nonce = Buffer.of(7),
  certificates = true,
  version = 1,
}: Question = {}): Buffer<ArrayBuffer> {
  const name = der(0x30, Buffer.from(oids[algorithm], "hex"), der(0x05));
  const parts = [der(0x02, Buffer.of(version)), der(0x30, name, der(0x04, imprint)), der(0x02, nonce)];
  return der(0x30, ...parts, ...(certificates ? [der(0x01, Buffer.of(0xff))] : []));
}

test.each(["ping", "api/v1/timestamp/certchain", "api/v1/timestamp", "nothing"])("GET %s", async (path) => {
  await alike(async ({ url }) => {
    const { status, headers, text } = await request(`${url}/${path}`);
    return [status, status === 200 && `${headers["content-type"]}`.split(";")[0], text.includes("BEGIN CERTIFICATE")];
  });
});

describe("questions", () => {
  const questions: readonly (readonly [string, Uint8Array<ArrayBuffer> | string, string?])[] = [
    ["SHA-256", query()],
    ["SHA-384", query({ algorithm: "sha384" })],
    ["SHA-512", query({ algorithm: "sha512" })],
    ["SHA-1", query({ algorithm: "sha1", imprint: digest("sha1") })],
    ["without certificates", query({ certificates: false })],
    ["a nonce with a needless zero", query({ nonce: Buffer.of(0, 1) })],
    ["a nonce of eight bytes", query({ nonce: Buffer.from("00ffeeddccbbaa9988", "hex") })],
    ["an imprint of another length", query({ imprint: Buffer.alloc(20) })],
    ["no query", Buffer.from("hello")],
    ["nothing", Buffer.alloc(0)],
    [
      "JSON",
      JSON.stringify({ artifactHash: digest().toString("base64"), hashAlgorithm: "sha256", certificates: true, nonce: 1123 }),
      "application/json",
    ],
    ["JSON without algorithm", JSON.stringify({ artifactHash: digest().toString("base64"), certificates: true }), "application/json"],
    ["JSON that is none", "{", "application/json"],
    [
      "JSON with an unknown algorithm",
      JSON.stringify({ artifactHash: digest().toString("base64"), hashAlgorithm: "md5" }),
      "application/json",
    ],
    ["a type that nobody knows", query(), "text/plain"],
  ];
  test.each(questions.map(([title, body, type]) => ({ title, body, type })))("$title", async ({ body, type }) => {
    await alike(async (side) => {
      const { status, type: told } = await ask(side, body, type);
      return [status, status < 300 ? told : undefined];
    });
  });

  test.each(["sha256", "sha384", "sha512"] as const)("openssl verifies the answer about %s with the chain", async (algorithm) => {
    writeFileSync(`${folder}/data`, "hello");
    for (const [n, side] of sides.entries()) {
      const question = query({ algorithm, nonce: Buffer.from("2a2b2c2d", "hex") });
      const { bytes } = await ask(side, question);
      writeFileSync(`${folder}/${n}.tsq`, question);
      writeFileSync(`${folder}/${n}.tsr`, bytes);
      writeFileSync(`${folder}/${n}-root.pem`, side.certificates.at(-1) ?? "");
      writeFileSync(`${folder}/${n}-chain.pem`, side.certificates.slice(0, -1).join(""));
      const common = [
        "ts",
        "-verify",
        "-in",
        `${folder}/${n}.tsr`,
        "-CAfile",
        `${folder}/${n}-root.pem`,
        "-untrusted",
        `${folder}/${n}-chain.pem`,
      ];
      expect(await run("openssl", [...common, "-queryfile", `${folder}/${n}.tsq`])).toContain("Verification: OK");
      expect(await run("openssl", [...common, "-data", `${folder}/data`])).toContain("Verification: OK");
    }
    expect(readFileSync(`${folder}/0.tsq`).length).toBeGreaterThan(40);
  });
});

test("our witness believes either with its own chain, and neither with the other's", async () => {
  const call = { signal: AbortSignal.timeout(20_000) };
  const attestation = { ...(await anAttestation()), evidence: [] };
  for (const [n, side] of sides.entries()) {
    const witness = (certificates: readonly string[]) => {
      const text = trustedRoot({ timestampAuthorities: [{ url: side.url, certificates }] });
      return timestampWitness({ url: side.url, http: wire, trust: async () => trustedRootFrom(text) });
    };
    expect(await witness(side.certificates).testify(attestation, call)).toMatchObject({ kind: "timestamp" });
    await expect(witness(sides[1 - n]?.certificates ?? []).testify(attestation, call)).rejects.toMatchObject({
      code: "witness.timestamp-unsound",
    });
  }
});
