import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { logEntryFault, messageOf } from "@countersign/bundle";
import type { Attestation, LogEntry } from "@countersign/core";
import { type Http, http } from "@countersign/http";
import { rekorWitness } from "@countersign/storage-rekor";
import { anAttestation, rekorTiles, trustedRoot } from "@countersign/testing";
import { trustedRootFrom } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, cosign, request, type Sigstore, signingConfigOf, startSigstore, tempFolder } from "./harness/index.ts";
import "./harness/on-failure.ts";

/**
 * The same requests to packages/testing's Rekor v2 and to the real one with its files beside it: statuses, shapes; bodies byte for byte. Allowed to
 * differ: the texts of refusals; and when an entry can be read in the tiles: at once in ours, within a second in the real one.
 */
interface Side {
  readonly url: string;
  readonly publicKey: string;
}
let sigstore: Sigstore;
let fake: Awaited<ReturnType<typeof rekorTiles>>;
let wire: Http;

beforeAll(async () => {
  [sigstore, fake] = await Promise.all([startSigstore(), rekorTiles()]);
  wire = http({ env: {} });
});
afterAll(() => Promise.all([sigstore?.stop(), fake?.close(), wire?.close()]));

async function alike<T>(look: (side: Side) => Promise<T>): Promise<T> {
  const [ours, theirs] = await Promise.all([look(fake), look(sigstore.tiles)]);
  expect(ours).toEqual(theirs);
  return theirs;
}

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
const ann: Pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384: Pair = generateKeyPairSync("ec", { namedCurve: "P-384" });
const rsa: Pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const bob: Pair = generateKeyPairSync("ec", { namedCurve: "P-256" });

interface Order {
  readonly text?: string;
  readonly key?: Pair;
  readonly keyDetails?: string;
  readonly hash?: string;
  readonly shown?: Pair;
  readonly digestOf?: string;
  readonly more?: object;
}
function hashed({
  text = "one",
  key = ann,
  keyDetails = "PKIX_ECDSA_P256_SHA_256",
  hash = "sha256",
  shown = key,
  digestOf = text,
  more,
}: Order = {}): object {
  const rawBytes = shown.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const content = sign(hash, Buffer.from(text), key.privateKey).toString("base64");
  const digest = createHash(hash).update(digestOf).digest("base64");
  return { hashedRekordRequestV002: { digest, signature: { content, verifier: { keyDetails, publicKey: { rawBytes } } }, ...more } };
}
const create = ({ url }: Side, body: unknown): Promise<Answer> => request(`${url}/api/v2/log/entries`, { method: "POST", body });
/** Rekor answers protobuf's JSON: zeros and nulls are there. */
const shapeOf = (answer: Answer): unknown => {
  const entry = answer.json() as LogEntry & { readonly inclusionPromise: unknown };
  const { inclusionProof: proof } = entry;
  return [
    Object.keys(entry).sort(),
    entry.integratedTime,
    entry.inclusionPromise,
    entry.kindVersion,
    Object.keys(proof ?? {}).sort(),
    proof?.checkpoint.envelope.split("\n").length,
  ];
};
const known = (side: Side): Parameters<typeof logEntryFault>[1] =>
  side === fake ? fake.logs : trustedRootFrom(sigstore.trustedRoot.text).logs;

describe("proposals", () => {
  const proposals: readonly (readonly [string, () => unknown])[] = [
    ["P-256", () => hashed()],
    ["P-384", () => hashed({ key: p384, keyDetails: "PKIX_ECDSA_P384_SHA_384", hash: "sha384" })],
    ["RSA", () => hashed({ key: rsa, keyDetails: "PKIX_RSA_PKCS1V15_2048_SHA256" })],
    ["another's key", () => hashed({ shown: bob })],
    ["another's digest", () => hashed({ digestOf: "two" })],
    ["P-384 that says it is P-256", () => hashed({ key: p384 })],
    ["P-256 that says it is P-384", () => hashed({ keyDetails: "PKIX_ECDSA_P384_SHA_384" })],
    ["an unknown algorithm", () => hashed({ keyDetails: "PKIX_NONSENSE" })],
    ["an unspecified algorithm", () => hashed({ keyDetails: "PUBLIC_KEY_DETAILS_UNSPECIFIED" })],
    ["a member that nobody knows", () => hashed({ more: { poem: "roses" } })],
    ["another kind", () => ({ poemRequestV001: {} })],
    ["an empty object", () => ({})],
    ["an array", () => []],
    ["no JSON", () => "{"],
    ["nothing", () => ""],
  ];
  test.each(proposals)("%s", async (_, make) => {
    const proposal = make();
    await alike(async (side) => {
      const answer = await create(side, proposal);
      if (answer.status !== 201)
        return [
          answer.status,
          answer.headers["content-type"],
          Object.keys(answer.json() as object).sort(),
          (answer.json() as { code: number }).code,
        ];
      const entry = answer.json() as LogEntry;
      expect(logEntryFault(withoutNulls(entry), known(side))).toBeUndefined();
      return [answer.status, answer.headers["content-type"], shapeOf(answer), Buffer.from(entry.canonicalizedBody, "base64").toString()];
    });
  });

  test("the same again is a conflict with its place", async () => {
    const proposal = hashed({ text: "again" });
    await alike(async (side) => {
      const first = (await create(side, proposal)).json() as LogEntry;
      const again = await create(side, proposal);
      const { code, message, details } = again.json() as { code: number; message: string; details: unknown };
      const place = /with index (\d+)/.exec(message)?.[1];
      return [
        again.status,
        code,
        details,
        place === first.logIndex,
        again.headers["x-log-index"] === undefined ? "no header" : again.headers["x-log-index"] === first.logIndex,
      ];
    });
  });
});

test.each(["healthz", "api/v2/log/entries", "api/v2/tile/0/999", "api/v2/tile/99/000", "api/v2/tile/entries/999", "api/v2/nothing"])(
  "GET %s",
  async (path) => {
    await alike(async ({ url }) => (await request(`${url}/${path}`)).status);
  },
);

test("the checkpoint names the log, and is signed by it", async () => {
  await alike(async (side) => {
    const { status, text } = await request(`${side.url}/api/v2/checkpoint`);
    const lines = text.split("\n");
    return [status, lines.length, lines[0], /^\d+$/.test(lines[1] ?? ""), lines[3], lines[4]?.split(" ").slice(0, 2)];
  });
});

test("a second controller that meets its entry there already proves it from the tiles", async () => {
  const { payload, ...rest } = await anAttestation();
  const publicKey = ann.publicKey.export({ type: "spki", format: "pem" }).toString();
  const signature = { bytes: sign("sha256", messageOf(payload), ann.privateKey), algorithm: "ecdsa-sha256", publicKey } as const;
  const attestation: Attestation = { ...rest, payload, signature, evidence: [] };
  for (const side of [fake, sigstore.tiles]) {
    const text = side === fake ? trustedRoot({ logs: fake.logs }) : sigstore.trustedRoot.text;
    const witness = () => rekorWitness({ url: side.url, http: wire, version: "v2", trust: async () => trustedRootFrom(text) });
    const call = { signal: AbortSignal.timeout(20_000) };
    const first = await witness().testify(attestation, call);
    await expect
      .poll(
        () =>
          witness()
            .testify(attestation, call)
            .then(entryOf, () => undefined),
        { timeout: 10_000 },
      )
      .toMatchObject({ logIndex: entryOf(first)?.logIndex, canonicalizedBody: entryOf(first)?.canonicalizedBody });
  }
});
const entryOf = (word: Awaited<ReturnType<ReturnType<typeof rekorWitness>["testify"]>>): LogEntry | undefined =>
  word.kind === "log-entry" ? word.entry : undefined;

test("cosign writes to either, and believes it by the trust root", async () => {
  const folder = tempFolder("tiles-contract");
  writeFileSync(`${folder}/blob`, "hello");
  const { fulcio, timestamps, issuer } = sigstore;
  const root = JSON.parse(sigstore.trustedRoot.text) as { tlogs: object[] };
  const { tlogs } = JSON.parse(trustedRoot({ logs: fake.logs })) as { tlogs: object[] };
  writeFileSync(`${folder}/ours.json`, JSON.stringify({ ...root, tlogs }));
  for (const [name, tiles, mine, other] of [
    ["ours", { ...sigstore.tiles, url: fake.url }, `${folder}/ours.json`, sigstore.trustedRoot.file],
    ["theirs", sigstore.tiles, sigstore.trustedRoot.file, `${folder}/ours.json`],
  ] as const) {
    const config = await signingConfigOf({ fulcio, tiles, timestamps });
    const token = issuer.token({ sub: "ann", email: "ann@example.test", email_verified: true });
    const bundle = `${folder}/${name}.bundle`;
    const common = [`--bundle=${bundle}`, `${folder}/blob`];
    await cosign(["sign-blob", "--yes", `--signing-config=${config}`, `--trusted-root=${mine}`, `--identity-token=${token}`, ...common]);
    const who = ["--certificate-identity=ann@example.test", `--certificate-oidc-issuer=${issuer.url}`];
    const verified = async (file: string): Promise<number> =>
      (await cosign(["verify-blob", ...who, `--trusted-root=${file}`, ...common], {}, { mayFail: true })).code;
    expect([name, await verified(mine)]).toEqual([name, 0]);
    expect([name, await verified(other)]).not.toEqual([name, 0]);
  }
});

function withoutNulls({ inclusionPromise, integratedTime: _, ...entry }: LogEntry): LogEntry {
  return inclusionPromise ? { ...entry, inclusionPromise } : entry;
}
