import { logEntryFault } from "@countersign/bundle";
import type { Attestation, Evidence, Witness } from "@countersign/core";
import { fulcio, type Misbehaving, misbehave, type RekorTiles, type RekorTilesMood, rekor, rekorTiles } from "@countersign/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RekorOptions, rekorWitness } from "./rekor-witness.ts";
import { call, entryIn, failureOf, signedBy, trusting, wire } from "./surroundings.fixture.ts";

let log: RekorTiles;
let way: Misbehaving;
beforeEach(async () => {
  log = await rekorTiles();
  way = await misbehave(log.url);
});
afterEach(async () => {
  await way.close();
  await log.close();
});

const witness = (options: Partial<RekorOptions> = {}): Witness =>
  rekorWitness({ url: way.url, http: wire, version: "v2", trust: trusting(log.logs), ...options });
const withWord = (attestation: Attestation, ...evidence: readonly Evidence[]): Attestation => ({ ...attestation, evidence });

describe("a signature is logged as its hash", () => {
  test.each(["P-256", "P-384", "P-521", "rsa", "ed25519ph"] as const)("%s, statements and image signatures", async (curve) => {
    for (const envelope of ["dsse", "none"] as const) {
      const entry = entryIn(await witness().testify(await signedBy(curve, { envelope }), call));
      expect(logEntryFault(entry, log.logs)).toBeUndefined();
      expect(entry).toMatchObject({ kindVersion: { kind: "hashedrekord", version: "0.0.2" } });
      expect(entry.integratedTime).toBeUndefined();
    }
    expect(log.entries).toHaveLength(2);
  });

  test("with the certificate where there is one", async () => {
    const ca = await fulcio();
    const attestation = await signedBy("P-256");
    const certificate = ca.certificates[0] ?? "";
    await failureOf(witness().testify({ ...attestation, signature: { ...attestation.signature, certificate } }, call));
    const { hashedRekordRequestV002 } = JSON.parse(way.requests[0]?.body ?? "");
    expect(Object.keys(hashedRekordRequestV002.signature.verifier).sort()).toEqual(["keyDetails", "x509Certificate"]);
    await ca.close();
  });

  test("not plain Ed25519: the log is not asked", async () => {
    expect(await failureOf(witness().testify(await signedBy("ed25519"), call))).toMatchObject({
      code: "witness.key-unsupported",
      retry: "hold",
    });
    expect(way.requests).toEqual([]);
  });
});

describe("once", () => {
  test("the same again: read from checkpoint and tiles, whatever stands around it", { timeout: 20_000 }, async () => {
    const attestations: Attestation[] = [];
    for (let n = 0; n < 300; n += 1) {
      const attestation = await signedBy("rsa", { builder: `${n}` }); // the fake verifies RSA fastest
      attestations.push(attestation);
      await rekorWitness({ url: log.url, http: wire, version: "v2", trust: trusting(log.logs) }).testify(attestation, call);
    }
    for (const place of [0, 1, 255, 256, 299]) {
      const entry = entryIn(await witness().testify(attestations[place] as Attestation, call));
      expect(entry.logIndex).toBe(`${place}`);
      expect(logEntryFault(entry, log.logs)).toBeUndefined();
    }
    expect(log.entries).toHaveLength(300);
  });

  test("the log took it and its answer was lost", async () => {
    let lost = 0;
    way.fault = ({ method }) => (method === "POST" && lost++ === 0 ? { kind: "lost-answer" } : undefined);
    const entry = entryIn(await witness({ timeoutMs: 1_000 }).testify(await signedBy("P-256"), call));
    expect(logEntryFault(entry, log.logs)).toBeUndefined();
    expect(log.entries).toHaveLength(1);
  });

  test("a log that cannot be read at its address: on hold, and said", async () => {
    const blind = await rekorTiles({ readable: false });
    const subject = witness({ url: blind.url, trust: trusting(blind.logs) });
    const attestation = await signedBy("P-256");
    await subject.testify(attestation, call);
    const failure = await failureOf(subject.testify(attestation, call));
    expect(failure).toMatchObject({ code: "witness.entry-unreadable", retry: "hold" });
    expect(failure.message).toMatch(/holds this entry already/);
    await blind.close();
  });

  test("an entry that is not published yet is waited for", async () => {
    const attestation = await signedBy("P-256");
    await witness().testify(attestation, call);
    log.mood = "unpublished";
    expect(await failureOf(witness().testify(attestation, call))).toMatchObject({ code: "witness.entry-missing", retry: "wait" });
  });

  test("its own word is answered again without a request; a v1 log's is not its own", async () => {
    const attestation = await signedBy("P-256");
    const word = await witness().testify(attestation, call);
    expect(await witness().testify(withWord(attestation, word), call)).toEqual(word);
    expect(way.requests).toHaveLength(1);
    const older = await rekor();
    const strange = await rekorWitness({ url: older.url, http: wire }).testify(attestation, call);
    await older.close();
    const both = witness({ trust: trusting([...older.logs, ...log.logs]) });
    expect(entryIn(await both.testify(withWord(attestation, strange), call)).kindVersion.version).toBe("0.0.2");
  });
});

describe("what is not believed", () => {
  test.each<[RekorTilesMood, RegExp]>([
    ["wrong-proof", /does not lead/],
    ["smaller-tree", /another size/],
    ["other-log", /not signed/],
    ["other-entry", /something else/],
    ["garbage", /no transparency log's answer/],
  ])("%s", async (mood, sentence) => {
    await witness().testify(await signedBy("P-256", { builder: "before" }), call);
    const attestation = await signedBy("P-256");
    log.mood = mood;
    const failure = await failureOf(witness().testify(attestation, call));
    expect(failure.retry).toBe("wait");
    expect(failure.message).toMatch(sentence);
    log.mood = undefined;
    expect(logEntryFault(entryIn(await witness().testify(attestation, call)), log.logs)).toBeUndefined();
    expect(log.entries).toHaveLength(2);
  });
});

test("without a trust root nobody's answer could be verified", async () => {
  for (const trust of [undefined, async () => undefined]) {
    const subject = rekorWitness({ url: way.url, http: wire, version: "v2", ...(trust && { trust }) });
    expect(await failureOf(subject.testify(await signedBy("P-256"), call))).toMatchObject({ code: "config.trust-root", retry: "hold" });
  }
  expect(log.entries).toEqual([]);
});

test("a frozen log holds the route", async () => {
  log.mood = "frozen";
  expect(await failureOf(witness().testify(await signedBy("P-256"), call))).toMatchObject({ code: "witness.log-frozen", retry: "hold" });
});

test("nothing can be searched", () => {
  expect(witness().find).toBeUndefined();
});
