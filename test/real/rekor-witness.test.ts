import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { logEntryFault, messageOf, sigstoreBundle } from "@countersign/bundle";
import type { Attestation, Evidence, SignatureAlgorithm, Witness } from "@countersign/core";
import { http } from "@countersign/http";
import { rekorWitness, timestampWitness } from "@countersign/storage-rekor";
import { anAttestation, misbehave, rekor, rekorTiles, timestampAuthority, trustedRoot } from "@countersign/testing";
import { trustedRootFrom } from "@countersign/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cosign, request, startRekorTiles, startSigstore, tempFolder, trustedRootOf } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** Our witnesses before sigstore's own servers and before those of packages/testing, and what they hear before cosign. */
const call = { signal: new AbortController().signal };
const wire = http({ env: {} });
const folder = tempFolder("rekor-witness");
afterAll(() => wire.close());

interface Side {
  readonly rekor: string;
  readonly tiles: string;
  readonly timestamps: string;
  /** Believes all of them, and nobody else. */
  readonly root: { readonly file: string; readonly text: string };
  /** Believes another v2 log instead. */
  readonly elsewhere: string;
  stop(): Promise<unknown>;
}

async function real(): Promise<Side> {
  const sigstore = await startSigstore();
  const other = await startRekorTiles();
  const { file } = await trustedRootOf({ tiles: other, timestamps: sigstore.timestamps });
  await other.stop();
  const { rekor: log, tiles, timestamps, trustedRoot: root, stop } = sigstore;
  return { rekor: log.url, tiles: tiles.url, timestamps: timestamps.url, root, elsewhere: file, stop };
}

async function fake(): Promise<Side> {
  const [log, tiles, other, clock] = await Promise.all([rekor({ index: false }), rekorTiles(), rekorTiles(), timestampAuthority()]);
  const written = (name: string, text: string): { file: string; text: string } => {
    writeFileSync(`${folder}/${name}.json`, text);
    return { file: `${folder}/${name}.json`, text };
  };
  const timestampAuthorities = [clock.authority];
  const root = written("root", trustedRoot({ logs: [...log.logs, ...tiles.logs], timestampAuthorities }));
  const elsewhere = written("elsewhere", trustedRoot({ logs: other.logs, timestampAuthorities })).file;
  const stop = () => Promise.all([log, tiles, other, clock].map((server) => server.close()));
  return { rekor: log.url, tiles: tiles.url, timestamps: clock.url, root, elsewhere, stop };
}

const keys = {
  "P-256": [generateKeyPairSync("ec", { namedCurve: "P-256" }), "ecdsa-sha256"],
  "P-384": [generateKeyPairSync("ec", { namedCurve: "P-384" }), "ecdsa-sha384"],
  "P-521": [generateKeyPairSync("ec", { namedCurve: "P-521" }), "ecdsa-sha512"],
  rsa: [generateKeyPairSync("rsa", { modulusLength: 2048 }), "rsa-pkcs1-sha256"],
} as const satisfies Readonly<Record<string, readonly [{ publicKey: KeyObject; privateKey: KeyObject }, SignatureAlgorithm]>>;
type Kind = keyof typeof keys;
let count = 0;

async function signedBy(kind: Kind, envelope: "dsse" | "none" = "dsse"): Promise<Attestation> {
  count += 1;
  const attestation = await anAttestation({ envelope, builder: `https://builder.example/${count}` });
  const [{ privateKey, publicKey }, algorithm] = keys[kind];
  const bytes = sign(/sha(256|384|512)/.exec(algorithm)?.[0] ?? "", messageOf(attestation.payload), privateKey);
  return { ...attestation, signature: { bytes, algorithm, publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() } };
}

const entryIn = (word: Evidence) => (word.kind === "log-entry" ? word.entry : expect.fail("no log entry"));

describe.each([
  ["sigstore's own", real],
  ["our", fake],
] as const)("%s servers", (_, start) => {
  let side: Side;
  beforeAll(async () => {
    side = await start();
  });
  afterAll(() => side?.stop());

  const trust = async () => trustedRootFrom(side.root.text);
  const v1 = (entryKind: "dsse" | "intoto" = "dsse", url = side.rekor): Witness => rekorWitness({ url, http: wire, entryKind, trust });
  const size = async (): Promise<number> => (await request(`${side.rekor}/api/v1/log`)).json<{ treeSize: number }>().treeSize;
  const v2 = (): Witness => rekorWitness({ url: side.tiles, http: wire, version: "v2", trust });
  const clock = (): Witness => timestampWitness({ url: side.timestamps, http: wire, trust });

  /** What cosign says of a bundle, with nothing but the trusted root: it asks nobody. */
  async function cosignSays(attestation: Attestation, trusted = side.root.file): Promise<string> {
    const [bundle, key] = [`${folder}/${count}.sigstore.json`, `${folder}/${count}.pub`];
    writeFileSync(bundle, sigstoreBundle(attestation));
    writeFileSync(key, attestation.signature.publicKey);
    const [subject] = attestation.payload.subjects;
    const about = [`--digest=${subject?.digest["sha256"]}`, "--digestAlg=sha256", "--type=slsaprovenance1"];
    const args = ["verify-blob-attestation", `--key=${key}`, `--bundle=${bundle}`, `--trusted-root=${trusted}`, ...about];
    const { code, stderr } = await cosign(args, {}, { mayFail: true });
    return code === 0 ? "accepted" : stderr;
  }

  describe("Rekor v1", () => {
    test.each(["P-256", "rsa"] as const)("statements of %s: sound, and accepted by cosign offline", async (kind) => {
      const attestation = await signedBy(kind);
      const word = await v1().testify(attestation, call);
      expect(await cosignSays({ ...attestation, evidence: [word] })).toBe("accepted");
    });

    test("intoto entries, too", async () => {
      const attestation = await signedBy("P-256");
      const word = await v1("intoto").testify(attestation, call);
      expect(entryIn(word).kindVersion).toEqual({ kind: "intoto", version: "0.0.2" });
      expect(await cosignSays({ ...attestation, evidence: [word] })).toBe("accepted");
    });

    test.each(["P-256", "P-384", "P-521", "rsa"] as const)("image signatures of %s", async (kind) => {
      const word = await v1().testify(await signedBy(kind, "none"), call);
      expect(logEntryFault(entryIn(word), (await trust()).logs)).toBeUndefined();
    });

    test("the log's own key where there is no trust root", async () => {
      const word = await rekorWitness({ url: side.rekor, http: wire }).testify(await signedBy("P-256"), call);
      expect(logEntryFault(entryIn(word), (await trust()).logs)).toBeUndefined();
    });

    test("a promise from a tag is completed by its number", async () => {
      const attestation = await signedBy("P-256");
      const { inclusionProof: _, ...promise } = entryIn(await v1().testify(attestation, call));
      const word = await v1().testify({ ...attestation, evidence: [{ kind: "log-entry", entry: promise }] }, call);
      expect(entryIn(word)).toMatchObject({ logIndex: promise.logIndex, canonicalizedBody: promise.canonicalizedBody });
      expect(await cosignSays({ ...attestation, evidence: [word] })).toBe("accepted");
    });

    test("a log without index finds nothing", async () => {
      const { payload } = await signedBy("P-256");
      expect(await v1().find?.(payload, call)).toEqual([]);
    });

    describe.each([
      ["dsse", "dsse", "dsse"],
      ["intoto", "dsse", "intoto"],
      ["hashedrekord", "none", "dsse"],
    ] as const)("an entry of kind %s", (kind, envelope, entryKind) => {
      test("that is submitted again is the entry that is there, and the log is as large as it was", async () => {
        const attestations = await Promise.all(Array.from({ length: 12 }, () => signedBy("P-256", envelope)));
        const before = await size();
        const submitted = () => Promise.all(attestations.map((attestation) => v1(entryKind).testify(attestation, call)));
        const first = (await submitted()).map(entryIn);
        const again = (await submitted()).map(entryIn);
        expect(again.map(({ logIndex, canonicalizedBody }) => [logIndex, canonicalizedBody])).toEqual(
          first.map(({ logIndex, canonicalizedBody }) => [logIndex, canonicalizedBody]),
        );
        expect(new Set(again.map(({ logIndex, kindVersion }) => `${kindVersion.kind} ${logIndex}`)).size).toBe(12);
        expect((await size()) - before).toBe(12);
      });

      test("whose answers are lost is logged once, is known to the log, and is taken up", async () => {
        const gate = await misbehave(side.rekor);
        try {
          const attestation = await signedBy("P-256", envelope);
          const before = await size();
          const known = async () => (await v1(entryKind).find?.(attestation.payload, call, [attestation.signature])) ?? [];
          expect(await known()).toEqual([]);
          gate.fault = () => ({ kind: "lost-answer" });
          await expect(v1(entryKind, gate.url).testify(attestation, call)).rejects.toMatchObject({ code: "witness.log-unavailable" });
          expect(gate.count("POST", /entries$/)).toBeGreaterThan(1);
          expect((await size()) - before).toBe(1);
          const [found, ...others] = await known();
          gate.fault = () => undefined;
          const entry = entryIn(await v1(entryKind, gate.url).testify(attestation, call));
          expect([others.length, found?.evidence.map((word) => entryIn(word).logIndex)]).toEqual([0, [entry.logIndex]]);
          expect([entry.kindVersion.kind, (await size()) - before]).toEqual([kind, 1]);
          expect(logEntryFault(entry, (await trust()).logs)).toBeUndefined();
        } finally {
          await gate.close();
        }
      });
    });
  });

  describe("Rekor v2 and the timestamp authority", () => {
    test.each(["P-256", "P-384", "P-521", "rsa"] as const)("statements and image signatures of %s", async (kind) => {
      const words = await Promise.all(
        (["dsse", "none"] as const).map(async (envelope) => v2().testify(await signedBy(kind, envelope), call)),
      );
      for (const word of words) expect(logEntryFault(entryIn(word), (await trust()).logs)).toBeUndefined();
    });

    test.each([
      ["rsa", /^accepted$/],
      // cosign 3.1.1 checks any key with SHA-256: such a statement it refuses with or without a log.
      ["P-384", /could not verify envelope/],
      ["P-521", /could not verify envelope/],
    ] as const)("what cosign says of statements of %s, offline", async (kind, says) => {
      const attestation = await signedBy(kind);
      const evidence = [await v2().testify(attestation, call), await clock().testify(attestation, call)];
      expect(await cosignSays({ ...attestation, evidence })).toMatch(says);
    });

    test("cosign accepts the bundle offline, and refuses it under another log's key", async () => {
      const attestation = await signedBy("P-256");
      const evidence = [await v2().testify(attestation, call), await clock().testify(attestation, call)];
      expect(await cosignSays({ ...attestation, evidence })).toBe("accepted");
      expect(await cosignSays({ ...attestation, evidence }, side.elsewhere)).not.toBe("accepted");
    });

    test("a conflict is recovered from checkpoint and tiles, one entry in all", async () => {
      const attestations = await Promise.all(Array.from({ length: 12 }, () => signedBy("P-256")));
      const first = await Promise.all(attestations.map((attestation) => v2().testify(attestation, call)));
      const again = await Promise.all(attestations.map((attestation) => v2().testify(attestation, call)));
      expect(again.map((word) => entryIn(word).logIndex)).toEqual(first.map((word) => entryIn(word).logIndex));
      const [attestation, word] = [attestations[0], again[0]];
      if (!attestation || !word) throw new Error("none");
      expect(await cosignSays({ ...attestation, evidence: [word, await clock().testify(attestation, call)] })).toBe("accepted");
    });
  });
});
