import { writeFileSync } from "node:fs";
import { attestRun } from "@countersign/attest";
import type { Evidence, LogEntry, Route, Signer, Witness } from "@countersign/core";
import { route } from "@countersign/core";
import { signV1, simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { type Http, http } from "@countersign/http";
import { keylessSigner } from "@countersign/signers-keyless";
import { generateKeyPair, type KeySource, x509Signer } from "@countersign/signers-x509";
import { ociStorage } from "@countersign/storage-oci";
import { rekorWitness, timestampWitness } from "@countersign/storage-rekor";
import { imagesOf, parseRun } from "@countersign/tekton";
import { type Fulcio as FakeFulcio, fulcio, trustedRoot } from "@countersign/testing";
import { trustedRootFrom } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtRun } from "./harness/built-run.ts";
import { countersign, type Said } from "./harness/countersign.ts";
import {
  cosign,
  type Registry,
  request,
  type Sigstore,
  signingConfigOf,
  startDockerRegistry,
  startOciRegistry,
  startRekor,
  startSigstore,
  tempFolder,
  tool,
  trustedRootOf,
} from "./harness/index.ts";
import { pushImage } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * Signed by us with Sigstore's own servers, keyless and with a key, in tags and in bundles, seen by either generation of the log: cosign and
 * countersign verify it online, offline, and with those servers gone; and refuse with the same exit code what is not as it should be.
 */
const call = { signal: AbortSignal.timeout(170_000) };
const folder = tempFolder("sigstore");
const layouts = ["tags", "bundles"] as const;
type Layout = (typeof layouts)[number];
const holders = ["keyless", "a key"] as const;
type Holder = (typeof holders)[number];
const generations = ["v1", "v2"] as const;
type Generation = (typeof generations)[number];

let sigstore: Sigstore;
let registries: Readonly<Record<string, Registry>>;
let wire: Http;
let publicFile: string;
let keySigner: Signer;

beforeAll(async () => {
  const [made, docker, cue] = await Promise.all([startSigstore(), startDockerRegistry(), startOciRegistry()]);
  sigstore = made;
  registries = { "docker-registry": docker, "the registry with the Referrers API": cue };
  wire = http({ env: {} });
  const pair = await generateKeyPair("pw");
  publicFile = `${folder}/cosign.pub`;
  writeFileSync(publicFile, pair["cosign.pub"]);
  const files = { "cosign.key": Buffer.from(pair["cosign.key"]), "cosign.password": Buffer.from("pw") };
  keySigner = x509Signer({ keys: { current: async () => ({ version: "1", files }) } satisfies KeySource });
});
afterAll(async () => {
  await wire?.close();
  await Promise.all([sigstore?.stop(), ...Object.values(registries ?? {}).map((registry) => registry.stop())]);
});

const registryNamed = (name: string): Registry => registries[name] ?? expect.fail(`no registry named ${name}`);
const believed = async (): Promise<ReturnType<typeof trustedRootFrom>> => trustedRootFrom(sigstore.trustedRoot.text);
const who = (): readonly string[] => ["--certificate-identity=ann@example.test", `--certificate-oidc-issuer=${sigstore.issuer.url}`];
const ann = async (): Promise<{ token: string; source: string }> => ({
  token: sigstore.issuer.token({ sub: "ann", email: "ann@example.test", email_verified: true }),
  source: "the test",
});
const signerOf = (holder: Holder): Signer =>
  holder === "a key" ? keySigner : keylessSigner({ url: sigstore.fulcio.url, http: wire, tokens: ann, trust: believed });

function witnessesOf(generation: Generation, layout: Layout): readonly Witness[] {
  const log = { http: wire, trust: believed };
  if (generation === "v1") return [rekorWitness({ ...log, url: sigstore.rekor.url })];
  return [
    rekorWitness({ ...log, url: sigstore.tiles.url, version: "v2" }),
    timestampWitness({ ...log, url: sigstore.timestamps.url, over: layout === "tags" ? "envelope" : "signature" }),
  ];
}

/** The run's provenance and its image's signature, by the whole pipeline; answers what the witnesses said. */
async function attest(image: string, layout: Layout, signer: Signer, witnesses: readonly Witness[]): Promise<readonly Evidence[]> {
  const run = parseRun(JSON.stringify(builtRun(image)));
  const through = { signer, witnesses, backends: [ociStorage({ http: wire, credentials: async () => [], layout })] };
  const routes: readonly Route[] = [
    route(run, slsaV02({ builderId: "https://builder.example", deepInspection: false, format: "slsa/v1" }), through),
    ...imagesOf(run).map((one) => route(one, layout === "tags" ? simplesigning() : signV1(), through)),
  ];
  const { outcomes } = await attestRun(run, routes, call);
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
  expect(outcomes.map(({ stored }) => stored.length)).toEqual([1, 1]);
  return outcomes.flatMap(({ attestation }) => attestation?.evidence ?? []);
}

/** How each is asked. A tag has no room for an entry of a v2 log: there, the timestamp alone says when. */
function wordsFor(holder: Holder, generation: Generation, layout: Layout): readonly string[] {
  const timestampOnly = generation === "v2" && layout === "tags" ? ["--insecure-ignore-tlog=true", "--use-signed-timestamps"] : [];
  return [...(holder === "keyless" ? who() : [`--key=${publicFile}`]), ...timestampOnly];
}
async function cosignCodes(image: string, words: readonly string[], how: readonly string[] = []): Promise<readonly number[]> {
  const root = how.some((word) => word.startsWith("--trusted-root")) ? [] : [`--trusted-root=${sigstore.trustedRoot.file}`];
  const commands = [["verify"], ["verify-attestation", "--type=slsaprovenance"]];
  const said = await Promise.all(
    commands.map((command) => cosign([...command, ...words, ...root, "--allow-insecure-registry", ...how, image], {}, { mayFail: true })),
  );
  return said.map(({ code }) => code);
}
async function ourCodes(image: string, words: readonly string[], how: readonly string[] = []): Promise<readonly Said[]> {
  const root = how.some((word) => word.startsWith("--trusted-root")) ? [] : [`--trusted-root=${sigstore.trustedRoot.file}`];
  // Ours looks at timestamps whenever there are any.
  const known = [...words, ...root, ...how].filter((word) => word !== "--use-signed-timestamps").map((word) => word.replace("=true", ""));
  return Promise.all(["signature", "slsaprovenance"].map((type) => countersign(["verify", "image", ...known, `--type=${type}`, image])));
}
const codesOf = (said: readonly Said[]): readonly number[] => said.map(({ code }) => code);

/** Rekor v1 as Chains knows it: everywhere. Rekor v2: each layout once. */
const combinations = generations.flatMap((generation) =>
  holders.flatMap((holder) =>
    layouts.flatMap((layout) =>
      ["docker-registry", "the registry with the Referrers API"]
        .filter((where) => generation === "v1" || (layout === "tags") === (where === "docker-registry"))
        .map((where) => ({ generation, holder, layout, where })),
    ),
  ),
);
const signed: { readonly image: string; readonly words: readonly string[] }[] = [];

describe("what we sign", () => {
  test.each(combinations)(
    "with $holder, seen by Rekor $generation, in $layout of $where",
    async ({ generation, holder, layout, where }) => {
      const image = await pushImage(registryNamed(where), `team/${generation}-${layout}`, `${generation} ${holder} ${layout} ${where}`);
      const evidence = await attest(image, layout, signerOf(holder), witnessesOf(generation, layout));
      expect(evidence.map(({ kind }) => kind)).toEqual(
        generation === "v1" ? ["log-entry", "log-entry"] : ["log-entry", "timestamp", "log-entry", "timestamp"],
      );
      const words = wordsFor(holder, generation, layout);
      signed.push({ image, words });
      const [theirs, ours] = await Promise.all([cosignCodes(image, words, [`--rekor-url=${sigstore.rekor.url}`]), ourCodes(image, words)]);
      expect([theirs, codesOf(ours)], ours.map(({ stdout, stderr }) => stdout + stderr).join("\n")).toEqual([
        [0, 0],
        [0, 0],
      ]);
    },
  );

  test("rekor-cli finds the entries, of which Rekor v1 proves the inclusion", async () => {
    const image = await pushImage(registryNamed("docker-registry"), "team/found", "found");
    const evidence = await attest(image, "tags", signerOf("keyless"), witnessesOf("v1", "tags"));
    for (const word of evidence) {
      if (word.kind !== "log-entry") continue;
      expect(word.url).toBe(`${sigstore.rekor.url}/api/v1/log/entries?logIndex=${word.entry.logIndex}`);
      expect((await request(word.url ?? "")).status).toBe(200);
      const cli = ["--rekor_server", sigstore.rekor.url, "--store_tree_state=false", "--log-index", word.entry.logIndex];
      const got = JSON.parse((await tool("rekor-cli", ["get", "--format=json", ...cli])).stdout) as { readonly Body: object };
      expect(Object.keys(got.Body)).toEqual([word.entry.kindVersion.kind === "dsse" ? "DSSEObj" : "HashedRekordObj"]);
      expect((await tool("rekor-cli", ["verify", ...cli])).stdout).toContain("Inclusion Proof:");
    }
  });
});

describe("what cosign signs keyless, we verify", () => {
  const old = (...more: readonly string[]): readonly string[] => [
    ...["--new-bundle-format=false", "--use-signing-config=false", `--fulcio-url=${sigstore.fulcio.url}`],
    ...more,
  ];
  async function witnessed(by: "rekor" | "tiles"): Promise<readonly string[]> {
    const { fulcio, timestamps } = sigstore;
    return [`--signing-config=${await signingConfigOf({ fulcio, [by]: sigstore[by], ...(by === "tiles" && { timestamps }) })}`];
  }
  test.each<readonly [string, () => Promise<readonly string[]>, readonly string[]]>([
    ["in tags, with a log entry", async () => old(`--rekor-url=${sigstore.rekor.url}`), []],
    [
      "in tags, with a timestamp",
      async () => old("--tlog-upload=false", `--timestamp-server-url=${sigstore.timestamps.url}`),
      ["--insecure-ignore-tlog=true", "--use-signed-timestamps"],
    ],
    ["in bundles, with an entry of Rekor v1", () => witnessed("rekor"), []],
    ["in bundles, with an entry of Rekor v2 and a timestamp", () => witnessed("tiles"), []],
  ])("%s", async (title, flags, more) => {
    const image = await pushImage(registryNamed("docker-registry"), "team/theirs", title);
    const predicate = `${folder}/predicate.json`;
    writeFileSync(predicate, JSON.stringify({ builder: { id: "https://builder.example" } }));
    for (const command of [["sign"], ["attest", "--type=slsaprovenance", `--predicate=${predicate}`]]) {
      const { token } = await ann();
      const common = ["--yes", "--allow-insecure-registry", `--trusted-root=${sigstore.trustedRoot.file}`, `--identity-token=${token}`];
      await cosign([...command, ...common, ...(await flags()), image]);
    }
    // In a tag cosign 3.1.1 puts a timestamp over the signature and then looks for one over the envelope: its own attestation does not pass.
    const verdict = [0, more.includes("--use-signed-timestamps") ? 1 : 0];
    expect([await cosignCodes(image, [...who(), ...more]), codesOf(await ourCodes(image, [...who(), ...more]))]).toEqual([verdict, [0, 0]]);
    const bob = ["--certificate-identity=bob@example.test", `--certificate-oidc-issuer=${sigstore.issuer.url}`];
    expect(codesOf(await ourCodes(image, [...bob, ...more]))).toEqual(await cosignCodes(image, [...bob, ...more]));
    expect(codesOf(await ourCodes(image, [...bob, ...more]))).not.toContain(0);
  });
});

describe("refused by cosign and by us alike", () => {
  /** The same images of v1, which need every part that is taken away here. */
  const both = async (
    image: string,
    words: readonly string[],
    how: readonly string[],
  ): Promise<readonly [readonly number[], readonly number[]]> => [
    await cosignCodes(image, words, how),
    codesOf(await ourCodes(image, words, how)),
  ];
  async function imageIn(layout: Layout, holder: Holder, witnesses: readonly Witness[], signer = signerOf(holder)): Promise<string> {
    const image = await pushImage(registryNamed("docker-registry"), `team/refused-${layout}`, `${Math.random()}`);
    await attest(image, layout, signer, witnesses);
    return image;
  }

  test.each(layouts)("another log's key (%s)", async (layout) => {
    const other = await startRekor({ trillian: sigstore.trillian });
    try {
      const { file } = await trustedRootOf({ fulcio: sigstore.fulcio, rekor: other });
      for (const holder of holders) {
        const image = await imageIn(layout, holder, witnessesOf("v1", layout));
        const [theirs, ours] = await both(image, wordsFor(holder, "v1", layout), [`--trusted-root=${file}`, "--offline"]);
        expect([holder, ours]).toEqual([holder, theirs]);
        expect(theirs).not.toContain(0);
      }
    } finally {
      await other.stop();
    }
  });

  test.each(layouts)("an SCT of another CT log (%s)", async (layout) => {
    const image = await imageIn(layout, "keyless", witnessesOf("v1", layout));
    const ctLog = { ...sigstore.fulcio.ctLog, publicKeyFile: sigstore.rekor.publicKeyFile };
    const { file } = await trustedRootOf({ fulcio: { ...sigstore.fulcio, ctLog }, rekor: sigstore.rekor });
    const [theirs, ours] = await both(image, who(), [`--trusted-root=${file}`, "--offline"]);
    expect(ours).toEqual(theirs);
    expect(theirs).not.toContain(0);
  });

  test.each(layouts)("another CA (%s)", async (layout) => {
    const image = await imageIn(layout, "keyless", witnessesOf("v1", layout));
    const { file } = await trustedRootOf({
      fulcio: { ...sigstore.fulcio, chainFile: sigstore.timestamps.chainFile },
      rekor: sigstore.rekor,
    });
    const [theirs, ours] = await both(image, who(), [`--trusted-root=${file}`, "--offline"]);
    expect(ours).toEqual(theirs);
    expect(theirs).not.toContain(0);
  });

  test.each(layouts)("somebody else's identity, or issuer (%s)", async (layout) => {
    const image = await imageIn(layout, "keyless", witnessesOf("v1", layout));
    for (const words of [
      ["--certificate-identity=bob@example.test", `--certificate-oidc-issuer=${sigstore.issuer.url}`],
      ["--certificate-identity=ann@example.test", "--certificate-oidc-issuer=https://elsewhere.test"],
    ]) {
      const [theirs, ours] = await both(image, words, ["--offline"]);
      expect([words, ours]).toEqual([words, theirs]);
      expect(theirs).not.toContain(0);
    }
  });

  /** A tag keeps the log's promise, not its proof. */
  test("a checkpoint of a smaller tree (bundles)", async () => {
    const [rekor] = witnessesOf("v1", "tags");
    if (!rekor) return expect.fail("no witness");
    const earlier = async (): Promise<string> =>
      ((await request(`${sigstore.rekor.url}/api/v1/log`)).json() as { signedTreeHead: string }).signedTreeHead;
    const swapped: Witness = {
      name: "rekor",
      async testify(attestation, how) {
        const envelope = await earlier();
        const word = await rekor.testify(attestation, how);
        if (word.kind !== "log-entry" || !word.entry.inclusionProof) return expect.fail("no proof");
        const entry: LogEntry = { ...word.entry, inclusionProof: { ...word.entry.inclusionProof, checkpoint: { envelope } } };
        return { ...word, entry };
      },
    };
    for (const holder of holders) {
      const image = await imageIn("bundles", holder, [swapped]);
      const [theirs, ours] = await both(image, wordsFor(holder, "v1", "bundles"), ["--offline"]);
      expect([holder, ours]).toEqual([holder, theirs]);
      expect(theirs).not.toContain(0);
    }
  });

  test.each(layouts)("an expired certificate, and nobody who says when it was used (%s)", async (layout) => {
    const anHourAgo = (): number => Date.now() - 3_600_000;
    const ca: FakeFulcio = await fulcio({ now: anHourAgo });
    try {
      const tokens = async (): Promise<{ token: string; source: string }> => ({ token: ca.issuer.token(), source: "the test" });
      const signer = keylessSigner({ url: ca.url, http: wire, tokens, now: anHourAgo });
      const image = await imageIn(layout, "keyless", [], signer);
      const file = `${folder}/expired-${layout}.json`;
      const root = JSON.parse(
        trustedRoot({ certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }], ctLogs: ca.ctLogs }),
      ) as object;
      writeFileSync(file, JSON.stringify({ ...root, tlogs: (JSON.parse(sigstore.trustedRoot.text) as { tlogs: object }).tlogs }));
      const words = ["--certificate-identity=https://example.test/somebody", `--certificate-oidc-issuer=${ca.issuer.url}`];
      const [theirs, ours] = await both(image, words, [`--trusted-root=${file}`, "--offline", "--insecure-ignore-tlog=true"]);
      expect(ours).toEqual(theirs);
      expect(theirs).not.toContain(0);
    } finally {
      await ca.close();
    }
  });
});

describe("exit codes tell why, as cosign's do", () => {
  const cases: readonly (readonly [string, () => Promise<string>, () => readonly string[], number])[] = [
    ["nothing is attached", () => pushed("bare"), () => [`--key=${publicFile}`], 10],
    ["nothing is attached, keyless", () => pushed("bare, keyless"), who, 10],
    ["there is no such tag", async () => `${registryNamed("docker-registry").host}/team/codes:nowhere`, () => [`--key=${publicFile}`], 11],
    ["another's key", () => attached("a key"), () => [`--key=${sigstore.rekor.publicKeyFile}`], 12],
    [
      "another's identity",
      () => attached("keyless"),
      () => ["--certificate-identity=bob", `--certificate-oidc-issuer=${sigstore.issuer.url}`],
      12,
    ],
    // cosign has a code for this, 13, and reports 12 all the same: the reason is wrapped in "no matching signatures".
    ["a key, where an identity is asked for", () => attached("a key"), who, 13],
  ];
  const pushed = (text: string): Promise<string> => pushImage(registryNamed("docker-registry"), "team/codes", text);
  async function attached(holder: Holder): Promise<string> {
    const image = await pushed(`${holder} ${Math.random()}`);
    await attest(image, "tags", signerOf(holder), witnessesOf("v1", "tags"));
    return image;
  }
  test.each(cases)("%s", async (_, imageOf, words, code) => {
    const image = await imageOf();
    const [theirs] = await cosignCodes(image, words(), ["--offline"]);
    const [ours] = codesOf(await ourCodes(image, words(), ["--offline"]));
    expect([theirs, ours]).toEqual([Math.min(code, 12), code]);
  });
});

test("with every server of Sigstore gone, all of it still verifies", async () => {
  expect(signed).toHaveLength(combinations.length);
  await sigstore.stop();
  for (const { image, words } of signed) {
    const [theirs, ours] = await Promise.all([cosignCodes(image, words, ["--offline"]), ourCodes(image, words, ["--offline"])]);
    expect([image, theirs, codesOf(ours)]).toEqual([image, [0, 0], [0, 0]]);
  }
});
