import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { logEntryFault, messageOf } from "@countersign/bundle";
import type { LogEntry, TrustedKey } from "@countersign/core";
import { http } from "@countersign/http";
import { envelopeText, keyidOf, preAuthEncoding } from "@countersign/in-toto-attestation";
import { rekorWitness } from "@countersign/storage-rekor";
import { anAttestation, fulcio, rekor } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Ask, type Rekor, request, startRekor, startTrillian, tempFolder, tool } from "./harness/index.ts";
import type { Trillian } from "./harness/sigstore.ts";
import "./harness/on-failure.ts";

/**
 * The same requests to packages/testing's Rekor v1 and to the real one: statuses, headers, shapes; bodies byte for byte, since a log canonicalises.
 *
 * Allowed to differ: the texts of refusals. What is no JSON object the real one answers with 500, ours with 400; names under a tree that nobody has
 * with 500 or 400, ours as it does names that nobody has.
 */
interface Side {
  readonly url: string;
  readonly publicKey: string;
}
let trillian: Trillian;
let real: Rekor;
let fake: Awaited<ReturnType<typeof rekor>>;
let ca: Awaited<ReturnType<typeof fulcio>>;

beforeAll(async () => {
  trillian = await startTrillian();
  [real, fake, ca] = await Promise.all([startRekor({ trillian, searchable: true }), rekor(), fulcio()]);
});
afterAll(() => Promise.all([real?.stop(), trillian?.stop(), fake?.close(), ca?.close()]));

async function alike<T>(look: (side: Side) => Promise<T>): Promise<T> {
  const [ours, theirs] = [await look(fake), await look(real)];
  expect(ours).toEqual(theirs);
  return theirs;
}

interface Entry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly inclusionProof: {
      readonly checkpoint: string;
      readonly hashes: readonly string[];
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
    };
    readonly signedEntryTimestamp: string;
  };
}
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const sha = (bytes: string, algorithm = "sha256"): string => createHash(algorithm).update(bytes).digest("hex");
const pair = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync("ec", { namedCurve: "P-256" });
type Pair = ReturnType<typeof pair>;
const pemOf = ({ publicKey }: Pair): string => publicKey.export({ type: "spki", format: "pem" }).toString();
const ann = pair();
const bob = pair();
const type = "application/vnd.in-toto+json";
const statement = (subject: string): string =>
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "x", digest: { sha256: sha(subject) } }],
    predicateType: "https://example.test/p",
    predicate: {},
  });

interface DsseOrder {
  readonly text?: string;
  readonly key?: Pair;
  readonly keyid?: string;
  readonly hash?: string | null;
  readonly verifier?: string;
}
function envelopeOf({ text = statement("one"), key = ann, keyid = keyidOf(pemOf(key)), hash = "sha256" }: DsseOrder): string {
  const payload = Buffer.from(text);
  return envelopeText(type, payload, { keyid, bytes: sign(hash, preAuthEncoding(type, payload), key.privateKey) });
}
const dsse = (order: DsseOrder = {}): object => ({
  apiVersion: "0.0.1",
  kind: "dsse",
  spec: { proposedContent: { envelope: envelopeOf(order), verifiers: [base64(order.verifier ?? pemOf(order.key ?? ann))] } },
});
/** Rekor wants base64 once more around payload and signature. */
function intoto(order: DsseOrder = {}): object {
  const text = envelopeOf(order);
  const { payload, signatures } = JSON.parse(text) as { payload: string; signatures: { keyid?: string; sig: string }[] };
  const publicKey = base64(order.verifier ?? pemOf(order.key ?? ann));
  const envelope = {
    payload: base64(payload),
    payloadType: type,
    signatures: signatures.map(({ keyid, sig }) => ({ ...(keyid && { keyid }), sig: base64(sig), publicKey })),
  };
  return { apiVersion: "0.0.2", kind: "intoto", spec: { content: { envelope, hash: { algorithm: "sha256", value: sha(text) } } } };
}
interface HashOrder {
  readonly text?: string;
  readonly key?: Pair;
  readonly algorithm?: string;
  readonly value?: string;
  readonly shown?: string;
}
const hashed = ({
  text = "one",
  key = ann,
  algorithm = "sha256",
  value = sha(text, algorithm),
  shown = pemOf(key),
}: HashOrder = {}): object => ({
  apiVersion: "0.0.1",
  kind: "hashedrekord",
  spec: {
    data: { hash: { algorithm, value } },
    signature: { content: base64(sign(algorithm, Buffer.from(text), key.privateKey)), publicKey: { content: base64(shown) } },
  },
});

const post = ({ url }: Side, path: string, body: unknown): Promise<Answer> =>
  request(`${url}/api/v1/${path}`, { method: "POST", body } satisfies Ask);
const create = (side: Side, proposal: unknown): Promise<Answer> => post(side, "log/entries", proposal);
function onlyEntry(answer: Answer): readonly [string, Entry] {
  const [found, ...more] = Object.entries(answer.json() as Record<string, Entry>);
  if (!found || more.length > 0) throw new Error(`not one entry: ${answer.text}`);
  return found;
}
/** As verifiers have it. */
function logEntryOf({
  body,
  integratedTime,
  logID,
  logIndex,
  verification: { inclusionProof: proof, signedEntryTimestamp },
}: Entry): LogEntry {
  const { kind, apiVersion: version } = JSON.parse(Buffer.from(body, "base64").toString()) as { kind: string; apiVersion: string };
  const bytes = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
  return {
    logIndex: `${logIndex}`,
    logId: { keyId: bytes(logID) },
    kindVersion: { kind, version },
    integratedTime: `${integratedTime}`,
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: `${proof.logIndex}`,
      rootHash: bytes(proof.rootHash),
      treeSize: `${proof.treeSize}`,
      hashes: proof.hashes.map(bytes),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: body,
  };
}
function trusted({ url, publicKey }: Side): readonly TrustedKey[] {
  const der = Buffer.from(publicKey.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  return [{ keyId: createHash("sha256").update(der).digest("base64"), publicKey, url }];
}

describe("what it tells of itself", () => {
  test("the tree", async () => {
    await alike((side) => create(side, dsse({ text: statement("first") })).then(({ status }) => status));
    await alike(async ({ url }) => {
      const { status, headers, text } = await request(`${url}/api/v1/log`);
      const info = JSON.parse(text) as {
        rootHash: string;
        signedTreeHead: string;
        treeID: string;
        treeSize: number;
        inactiveShards: unknown[];
      };
      const shapes = [/^[0-9a-f]{64}$/.test(info.rootHash), /^\d{15,19}$/.test(info.treeID), info.treeSize, info.inactiveShards];
      return [status, headers["content-type"], Object.keys(info).sort(), shapes, info.signedTreeHead.split("\n").length];
    });
  });
  test("the key", async () => {
    await alike(async ({ url, publicKey }) => {
      const { status, headers, text } = await request(`${url}/api/v1/log/publicKey`);
      return [status, headers["content-type"], text === publicKey, text.endsWith("-----\n")];
    });
  });
  test.each([
    "log/entries",
    "log/nothing",
    "log/publicKey?treeID=12345",
    "log/entries/xyz",
    `log/entries/${"0".repeat(64)}`,
    "log/entries?logIndex=1000000",
    "log/entries?logIndex=x",
    "log/entries?logIndex=-1",
    "log/proof?lastSize=1",
    "log/proof?lastSize=99999",
    "log/proof",
  ])("GET %s", async (path) => {
    await alike(async ({ url }) => (await request(`${url}/api/v1/${path}`)).status);
  });
});

const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const smallRsa = generateKeyPairSync("rsa", { modulusLength: 1024 });
const ed25519 = generateKeyPairSync("ed25519");

describe("proposals", () => {
  const proposals: readonly (readonly [string, () => unknown])[] = [
    ["dsse", () => dsse()],
    ["dsse without keyid", () => dsse({ keyid: "" })],
    ["dsse, RSA", () => dsse({ key: rsa })],
    ["dsse, P-384 with SHA-256", () => dsse({ key: p384 })],
    ["dsse, P-384 with SHA-384", () => dsse({ key: p384, hash: "sha384" })],
    ["dsse, Ed25519", () => dsse({ key: ed25519, hash: null })],
    ["intoto", () => intoto()],
    ["intoto without keyid", () => intoto({ keyid: "" })],
    ["hashedrekord", () => hashed()],
    ["hashedrekord, RSA", () => hashed({ key: rsa })],
    ["hashedrekord, small RSA", () => hashed({ key: smallRsa })],
    ["hashedrekord, P-384 with SHA-384", () => hashed({ key: p384, algorithm: "sha384" })],
    ["hashedrekord, P-384 with SHA-256", () => hashed({ key: p384 })],
    ["hashedrekord, P-521 with SHA-512", () => hashed({ key: p521, algorithm: "sha512" })],
    ["hashedrekord, P-256 with SHA-512", () => hashed({ algorithm: "sha512" })],

    ["dsse of a strange keyid", () => dsse({ keyid: "SHA256:somebody" })],
    ["dsse with another's key", () => dsse({ verifier: pemOf(bob) })],
    ["dsse with what is no key", () => dsse({ verifier: "nothing" })],
    [
      "dsse without keys",
      () => ({ apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent: { envelope: envelopeOf({}), verifiers: [] } } }),
    ],
    [
      "dsse without envelope",
      () => ({ apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent: { verifiers: [base64(pemOf(ann))] } } }),
    ],
    [
      "dsse of what is no envelope",
      () => ({ apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent: { envelope: "{}", verifiers: [base64(pemOf(ann))] } } }),
    ],
    [
      "dsse of what is no JSON",
      () => ({ apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent: { envelope: "{", verifiers: [base64(pemOf(ann))] } } }),
    ],
    ["intoto with another's key", () => intoto({ verifier: pemOf(bob) })],
    ["hashedrekord with another's key", () => hashed({ shown: pemOf(bob) })],
    ["hashedrekord of another hash", () => hashed({ value: sha("two") })],
    ["hashedrekord of a short hash", () => hashed({ value: "abcd" })],
    ["hashedrekord of an unknown hash", () => hashed({ algorithm: "sha1" })],
    ["an unknown kind", () => ({ apiVersion: "0.0.1", kind: "poem", spec: {} })],
    ["an unknown version", () => ({ ...dsse(), apiVersion: "9.9.9" })],
    ["no kind", () => ({ apiVersion: "0.0.1", spec: {} })],
    ["no spec", () => ({ apiVersion: "0.0.1", kind: "dsse" })],
    ["nothing", () => ""],
  ];
  test.each(proposals)("%s", async (_, make) => {
    const proposal = make();
    await alike(async (side) => {
      const answer = await create(side, proposal);
      const { status, headers } = answer;
      if (status !== 201) return [status, headers["content-type"], Object.keys(JSON.parse(answer.text) as object).sort()];
      const [uuid, entry] = onlyEntry(answer);
      expect(logEntryFault(logEntryOf(entry), trusted(side))).toBeUndefined();
      expect(headers["location"]).toBe(`/api/v1/log/entries/${uuid}`);
      const shape = [
        Object.keys(entry).sort(),
        Object.keys(entry.verification).sort(),
        Object.keys(entry.verification.inclusionProof).sort(),
      ];
      return [
        status,
        headers["content-type"],
        headers["etag"] === uuid,
        /^[0-9a-f]{80}$/.test(uuid),
        shape,
        Buffer.from(entry.body, "base64").toString(),
      ];
    });
  });

  test("an envelope under a certificate keeps the certificate", async () => {
    const key = pair();
    const pem = pemOf(key);
    const proof = sign("sha256", Buffer.from("https://example.test/somebody"), key.privateKey).toString("base64");
    const body = {
      credentials: { oidcIdentityToken: ca.issuer.token() },
      publicKeyRequest: { publicKey: { algorithm: "ECDSA", content: pem }, proofOfPossession: proof },
    };
    const answer = (await request(`${ca.url}/api/v2/signingCert`, { method: "POST", body })).json() as {
      signedCertificateEmbeddedSct: { chain: { certificates: [string] } };
    };
    const [leaf] = answer.signedCertificateEmbeddedSct.chain.certificates;
    for (const proposal of [
      dsse({ key, verifier: leaf }),
      hashed({ key, shown: leaf }),
      dsse({ key, verifier: leaf.trimEnd() }),
      intoto({ key, verifier: leaf }),
    ]) {
      const kept = await alike(async (side) => Buffer.from(onlyEntry(await create(side, proposal))[1].body, "base64").toString());
      expect(kept).toContain(base64(leaf).slice(0, 100));
    }
  });
});

test("entries come back by number, by name with and without tree, and by what was proposed", async () => {
  const proposals = [dsse({ text: statement("back") }), hashed({ text: "back" })];
  await alike(async (side) => {
    const made = [];
    for (const proposal of proposals) made.push(onlyEntry(await create(side, proposal)));
    const [[uuid = "", entry] = [], [other = ""] = []] = made;
    const names = async (asked: Promise<Answer>): Promise<unknown> => {
      const answer = await asked;
      if (answer.status !== 200) return answer.status;
      const said = answer.json() as Record<string, Entry> | Record<string, Entry>[];
      return [said]
        .flat()
        .map((one) => Object.entries(one).map(([name, { body }]) => [name === uuid ? "one" : name === other ? "other" : name, body]));
    };
    const get = (path: string) => names(request(`${side.url}/api/v1/log/entries${path}`));
    const retrieve = (body: object) => names(post(side, "log/entries/retrieve", body));
    return [
      await get(`?logIndex=${entry?.logIndex}`),
      await get(`/${uuid}`),
      await get(`/${uuid.slice(16)}`),
      await retrieve({ entryUUIDs: [uuid, other] }),
      await retrieve({ logIndexes: [entry?.logIndex] }),
      await retrieve({ entries: proposals }),
      await retrieve({ entries: [dsse({ text: statement("never") })] }),
      await retrieve({ entryUUIDs: [`${uuid.slice(0, 16)}${"0".repeat(64)}`] }),
      await retrieve({ logIndexes: [1_000_000] }),
      await retrieve({}),
      await retrieve({ logIndexes: Array.from({ length: 11 }, () => 0) }),
      await retrieve({ entries: [{ apiVersion: "0.0.1", kind: "poem", spec: {} }] }),
    ];
  });
});

describe("search", () => {
  const text = statement("to be searched for");
  const key = pair();
  const searched: readonly (readonly [string, object])[] = [
    ["the payload's hash", { hash: `sha256:${sha(text)}` }],
    ["the payload's hash without algorithm", { hash: sha(text) }],
    ["the hash in capitals", { hash: sha(text).toUpperCase() }],
    ["the envelope's hash", { hash: `sha256:${sha(envelopeOf({ text, key: rsa }))}` }],
    ["a subject's digest", { hash: `sha256:${sha("to be searched for")}` }],
    ["the hash of a hashedrekord", { hash: `sha256:${sha("searched text")}` }],
    ["a key", { publicKey: { format: "x509", content: base64(pemOf(key)) } }],
    ["a key and a hash", { publicKey: { format: "x509", content: base64(pemOf(key)) }, hash: sha(text), operator: "and" }],
    ["a key or a hash", { publicKey: { format: "x509", content: base64(pemOf(key)) }, hash: sha("searched text"), operator: "or" }],
    ["a name that is no address", { email: "https://example.test/somebody" }],
    ["nobody", { email: "nobody@example.test" }],
    ["a hash that nobody has", { hash: `sha256:${"0".repeat(64)}` }],
    ["a hash that is none", { hash: "xyz" }],
    ["another hash that is none", { hash: "sha256:xyz" }],
    ["nothing", {}],
  ];
  const names = new Map<string, string>();
  beforeAll(async () => {
    const proposals = { dsse: dsse({ text, key }), "dsse again": dsse({ text, key: rsa }), hashed: hashed({ text: "searched text", key }) };
    for (const side of [fake, real])
      for (const [name, proposal] of Object.entries(proposals)) names.set(onlyEntry(await create(side, proposal))[0], name);
  });

  test.each(searched)("for %s", async (_, asked) => {
    await alike(async (side) => {
      const answer = await post(side, "index/retrieve", asked);
      if (answer.status !== 200) return [answer.status, answer.headers["content-type"]];
      // Of earlier tests there are others, which carry names that nobody gave.
      return [
        answer.status,
        answer.headers["content-type"],
        answer
          .json<string[]>()
          .map((uuid) => names.get(uuid))
          .filter(Boolean)
          .sort(),
      ];
    });
  });

  test("our witness finds what a process that died had logged, whatever the kind of the entry", async () => {
    const wire = http({ env: {} });
    const call = { signal: AbortSignal.timeout(20_000) };
    try {
      for (const side of [fake, real])
        for (const envelope of ["dsse", "none"] as const)
          for (const entryKind of ["dsse", "intoto"] as const) {
            const { payload, ...rest } = await anAttestation({ envelope, builder: `https://${envelope}.${entryKind}.example` });
            const signature = {
              bytes: sign("sha256", messageOf(payload), ann.privateKey),
              algorithm: "ecdsa-sha256",
              publicKey: pemOf(ann),
            } as const;
            const witness = rekorWitness({ url: side.url, http: wire, entryKind });
            const word = await witness.testify({ ...rest, payload, signature, evidence: [] }, call);
            const found = (await witness.find?.(payload, call)) ?? [];
            expect(found.map(({ evidence }) => evidence.map((one) => one.kind === "log-entry" && one.url))).toEqual([
              [word.kind === "log-entry" && word.url],
            ]);
            expect(found.map((one) => Buffer.from(one.signature.bytes).equals(signature.bytes))).toEqual([true]);
          }
    } finally {
      await wire.close();
    }
  });

  test("rekor-cli finds the entry by its hash", async () => {
    await alike(async (side) => {
      const { stdout } = await tool("rekor-cli", ["search", `--sha=${sha(text)}`, `--rekor_server=${side.url}`, "--format=json"]);
      return (JSON.parse(stdout) as { UUIDs: string[] }).UUIDs.map((uuid) => names.get(uuid)).sort();
    });
  });
});

test("consistency of an earlier tree with a later one", async () => {
  await alike(async (side) => {
    const { treeSize } = (await request(`${side.url}/api/v1/log`)).json() as { treeSize: number };
    await create(side, hashed({ text: `later ${treeSize}` }));
    const answer = await request(`${side.url}/api/v1/log/proof?firstSize=${treeSize}&lastSize=${treeSize + 1}`);
    const { hashes, rootHash } = answer.json() as { hashes: string[]; rootHash: string };
    return [answer.status, hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash)), /^[0-9a-f]{64}$/.test(rootHash)];
  });
});

test("rekor-cli reads either log, and proves inclusion in it", async () => {
  const text = statement("cli");
  const proposal = dsse({ text });
  const folder = tempFolder("rekor-cli");
  writeFileSync(`${folder}/ann.pub`, pemOf(ann));
  await alike(async (side) => {
    const cli = async (...args: string[]): Promise<string> =>
      (await tool("rekor-cli", [...args, `--rekor_server=${side.url}`, "--store_tree_state=false"])).stdout;
    const [uuid, { logIndex }] = onlyEntry(await create(side, proposal));
    const got = JSON.parse(await cli("get", `--log-index=${logIndex}`, "--format=json")) as { UUID: string; Body: Record<string, unknown> };
    const verified = await cli("verify", `--log-index=${logIndex}`);
    const byUuid = await cli("verify", `--uuid=${uuid}`);
    const info = await cli("loginfo");
    return [
      got.UUID === uuid,
      Object.keys(got.Body),
      [verified, byUuid].map((said) =>
        said
          .replaceAll(/[0-9a-f]{64,}|\b\d+\b/g, "…")
          .split("\n")
          .filter((line) => /^(Entry Hash|Checkpoint|Current|Inclusion)/.test(line))
          .map((line) => line.split(":")[0]),
      ),
      /^Verification Successful!/m.test(info),
    ];
  });
});

const kinds: readonly (readonly [string, (text: string) => object])[] = [
  ["dsse", (text) => dsse({ text: statement(text) })],
  ["intoto", (text) => intoto({ text: statement(text) })],
  ["hashedrekord", (text) => hashed({ text })],
];
const sizeOf = async ({ url }: Side): Promise<number> => (await request(`${url}/api/v1/log`)).json<{ treeSize: number }>().treeSize;

describe.each(kinds)("the same %s again", (kind, make) => {
  test("is a conflict, which has the address of what is there already", async () => {
    const proposal = make(`${kind} twice`);
    await alike(async (side) => {
      const [uuid, { body }] = onlyEntry(await create(side, proposal));
      const size = await sizeOf(side);
      const again = [await create(side, proposal), await create(side, proposal)];
      const [location = ""] = again.map(({ headers }) => headers["location"]);
      const [found, entry] = onlyEntry(await request(`${side.url}${location}`));
      expect([location, found, entry.body]).toEqual([`/api/v1/log/entries/${uuid}`, uuid, body]);
      expect(logEntryFault(logEntryOf(entry), trusted(side))).toBeUndefined();
      const said = again.map((answer) => [
        answer.status,
        answer.headers["content-type"],
        answer.headers["location"] === location,
        Object.keys(answer.json<object>()).sort(),
        answer.text.includes(uuid),
      ]);
      return [said, (await sizeOf(side)) - size];
    });
  });

  test("at the same moment is one entry", async () => {
    const proposal = make(`${kind} at once`);
    await alike(async (side) => {
      const size = await sizeOf(side);
      const answers = await Promise.all(Array.from({ length: 8 }, () => create(side, proposal)));
      const [[uuid] = [], ...others] = answers.filter(({ status }) => status === 201).map(onlyEntry);
      const conflicts = answers.filter(({ status, headers }) => status === 409 && headers["location"] === `/api/v1/log/entries/${uuid}`);
      return [others.length, conflicts.length, (await sizeOf(side)) - size];
    });
  });
});

describe("a log that has no index", () => {
  let blind: Rekor;
  let blinder: Awaited<ReturnType<typeof rekor>>;
  const alikeBlind = async <T>(look: (side: Side) => Promise<T>): Promise<T> => {
    const [ours, theirs] = [await look(blinder), await look(blind)];
    expect(ours).toEqual(theirs);
    return theirs;
  };
  beforeAll(async () => {
    [blind, blinder] = await Promise.all([startRekor({ trillian }), rekor({ index: false })]);
  });
  afterAll(() => Promise.all([blind?.stop(), blinder?.close()]));

  test("says that it cannot be searched", async () => {
    const said = await alikeBlind(async (side) => {
      const { status, headers } = await post(side, "index/retrieve", { hash: sha("anything") });
      return [status, headers["content-type"]];
    });
    expect(said[0]).toBe(501);
  });

  test.each(kinds)("%s: knows an entry by what was proposed, and only that one", async (kind, make) => {
    const [proposal, other, never] = [make(`${kind} known`), make(`${kind} other`), make(`${kind} never`)];
    const said = await alikeBlind(async (side) => {
      const ask = async (...entries: object[]): Promise<readonly [string, Entry][]> => {
        const answer = await post(side, "log/entries/retrieve", { entries });
        expect(answer.status).toBe(200);
        return answer.json<Record<string, Entry>[]>().flatMap((one) => Object.entries(one));
      };
      const before = await ask(proposal);
      const [uuid, { body }] = onlyEntry(await create(side, proposal));
      await create(side, other);
      const known = await ask(proposal);
      for (const [, entry] of known) expect(logEntryFault(logEntryOf(entry), trusted(side))).toBeUndefined();
      const found = known.map(([name, entry]) => [name === uuid, entry.body === body]);
      return [before, found, await ask(never), (await ask(never, proposal)).map(([name]) => name === uuid)];
    });
    expect(said).toEqual([[], [[true, true]], [], [true]]);
  });

  test("refuses to look for what nobody signed", async () => {
    const forged = [dsse({ verifier: pemOf(bob) }), intoto({ verifier: pemOf(bob) }), hashed({ shown: pemOf(bob) })];
    const said = await alikeBlind((side) =>
      Promise.all(forged.map(async (one) => (await post(side, "log/entries/retrieve", { entries: [one] })).status)),
    );
    expect(said).toEqual([400, 400, 400]);
  });
});
