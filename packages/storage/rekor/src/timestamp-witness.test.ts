import { createHash } from "node:crypto";
import { dsseEnvelope } from "@countersign/bundle";
import type { Attestation, Evidence, TrustedAuthority, Witness } from "@countersign/core";
import { canary, type Misbehaving, misbehave, type TimestampAuthority, type TimestampMood, timestampAuthority } from "@countersign/testing";
import { RFC3161Timestamp } from "@sigstore/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call, failureOf, signedBy, wire } from "./surroundings.fixture.ts";
import { type TimestampOptions, timestampWitness } from "./timestamp-witness.ts";

const at = Date.parse("2026-11-24T12:00:00Z");
let authority: TimestampAuthority;
let way: Misbehaving;
let clock = at;
beforeEach(async () => {
  clock = at;
  authority = await timestampAuthority({ now: () => clock });
  way = await misbehave(authority.url);
});
afterEach(async () => {
  await way.close();
  await authority.close();
});

const witness = (options: Partial<TimestampOptions> = {}): Witness => timestampWitness({ url: way.url, http: wire, ...options });
const trusting =
  (...timestampAuthorities: readonly TrustedAuthority[]): NonNullable<TimestampOptions["trust"]> =>
  async () => ({ timestampAuthorities });
const withWord = (attestation: Attestation, ...evidence: readonly Evidence[]): Attestation => ({ ...attestation, evidence });
const timeIn = (word: Evidence): Date | undefined =>
  word.kind === "timestamp" ? RFC3161Timestamp.parse(Buffer.from(word.token, "base64")).signingTime : undefined;

test.each(["any", "a trusted"])("a token over the signature, of %s authority", async (which) => {
  const attestation = await signedBy("P-256");
  const word = await witness(which === "any" ? {} : { trust: trusting(authority.authority) }).testify(attestation, call);
  expect(timeIn(word)?.getTime()).toBe(at);
});

test("the root alone is enough trust: the token brings the certificate", async () => {
  const certificates = authority.authority.certificates.slice(-1);
  await witness({ trust: trusting({ url: "", certificates }) }).testify(await signedBy("P-256"), call);
});

test("its own word is answered again without a request, another signature's is not", async () => {
  const [attestation, other] = [await signedBy("P-256"), await signedBy("P-256")];
  const subject = witness({ trust: trusting(authority.authority) });
  const word = await subject.testify(attestation, call);
  expect(await subject.testify(withWord(attestation, word), call)).toEqual(word);
  expect(authority.issued).toBe(1);
  await subject.testify(withWord(other, word), call);
  await subject.testify(withWord(attestation, { kind: "timestamp", token: "AAAA" }), call);
  expect(authority.issued).toBe(3);
});

test("over the envelope for `.att` tags: another token than the one over the signature; a payload without one has its signature", async () => {
  const attestation = await signedBy("P-256");
  const [bare, whole] = [witness(), witness({ over: "envelope" })];
  const first = await bare.testify(attestation, call);
  const second = await whole.testify(withWord(attestation, first), call);
  expect([first, second]).toMatchObject([{ kind: "timestamp" }, { kind: "timestamp", over: "envelope" }]);
  const digestIn = (word: Evidence): Buffer | undefined =>
    word.kind === "timestamp" ? RFC3161Timestamp.parse(Buffer.from(word.token, "base64")).tstInfo.messageImprintHashedMessage : undefined;
  const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
  expect(digestIn(first)).toEqual(sha256(attestation.signature.bytes));
  expect(digestIn(second)).toEqual(sha256(Buffer.from(dsseEnvelope(attestation))));
  const both = withWord(attestation, first, second);
  expect([await bare.testify(both, call), await whole.testify(both, call)]).toEqual([first, second]);
  expect(authority.issued).toBe(2);
  const raw = { ...attestation, payload: { ...attestation.payload, envelope: "none" as const } };
  expect(await whole.testify(raw, call)).not.toHaveProperty("over");
});

test("sigstore's path is added to an origin; a full address stands", async () => {
  await witness({ url: `${way.url}/` }).testify(await signedBy("P-256"), call);
  await witness({ url: `${way.url}/api/v1/timestamp` }).testify(await signedBy("P-256"), call);
  expect(way.requests.map(({ path }) => path)).toEqual(["/api/v1/timestamp", "/api/v1/timestamp"]);
  expect(await failureOf(witness({ url: "" }).testify(await signedBy("P-256"), call))).toMatchObject({
    code: "config.transparency-tsa-url",
    retry: "hold",
  });
});

describe("what is not believed", () => {
  test.each<[TimestampMood, RegExp]>([
    ["other-hash", /something else/],
    ["other-nonce", /another question/],
    ["wrong-signature", /does not hold/],
    ["rejected", /no timestamp token/],
    ["garbage", /no timestamp token/],
  ])("%s", async (mood, sentence) => {
    authority.mood = mood;
    for (const trust of [undefined, trusting(authority.authority)]) {
      const failure = await failureOf(witness(trust && { trust }).testify(await signedBy("P-256"), call));
      expect(failure).toMatchObject({ code: "witness.timestamp-unsound", retry: "wait" });
      expect(failure.message).toMatch(sentence);
    }
  });

  test("an authority that is not trusted, or no longer or not yet", async () => {
    const known = authority.authority;
    const attestation = await signedBy("P-256");
    for (const validFor of [{ end: "2026-11-24T11:59:59Z" }, { start: "2026-11-24T12:00:01Z" }])
      expect((await failureOf(witness({ trust: trusting({ ...known, validFor }) }).testify(attestation, call))).message).toMatch(
        /no trusted/,
      );
    authority.mood = "other-authority";
    expect((await failureOf(witness({ trust: trusting(known) }).testify(attestation, call))).message).toMatch(/no trusted/);
  });

  test("a certificate of a trusted authority that is for something else, or has run out", async () => {
    const trust = trusting(authority.authority);
    authority.mood = "other-purpose";
    expect((await failureOf(witness({ trust }).testify(await signedBy("P-256"), call))).message).toMatch(/no trusted/);
    authority.mood = undefined;
    clock = at + 11 * 365 * 86_400_000;
    expect((await failureOf(witness({ trust }).testify(await signedBy("P-256"), call))).message).toMatch(/no trusted/);
  });

  test("a token beside a refusal", async () => {
    const refusing: TimestampOptions["http"] = {
      async request(request) {
        const answer = await wire.request(request);
        // PKIStatusInfo { status INTEGER 0 } becomes 2.
        return { ...answer, body: Buffer.from(Buffer.from(answer.body).toString("hex").replace("3003020100", "3003020102"), "hex") };
      },
    };
    expect((await failureOf(witness({ http: refusing }).testify(await signedBy("P-256"), call))).message).toMatch(/no timestamp token/);
  });

  test("a newer trust root is asked for once", async () => {
    const asked: unknown[] = [];
    const trust: NonNullable<TimestampOptions["trust"]> = async ({ fresh }) => {
      asked.push(fresh);
      return { timestampAuthorities: fresh ? [authority.authority] : [] };
    };
    await witness({ trust }).testify(await signedBy("P-256"), call);
    expect(asked).toEqual([undefined, true]);
  });
});

test.each([429, 503])("%i is waited for", async (status) => {
  way.fault = () => ({ kind: "status", status });
  const failure = await failureOf(witness().testify(await signedBy("P-256"), call));
  expect(failure).toMatchObject({ code: "witness.timestamp-unavailable", retry: "wait" });
  expect(failure.message).not.toContain(canary);
});

test("400 is counted", async () => {
  way.fault = () => ({ kind: "status", status: 400 });
  expect(await failureOf(witness().testify(await signedBy("P-256"), call))).toMatchObject({
    code: "witness.timestamp-refused",
    retry: "counted",
  });
});

test("a token in the evidence that is damaged anywhere is asked for anew, or was not needed there", { timeout: 20_000 }, async () => {
  const attestation = await signedBy("P-256");
  const trust = trusting(authority.authority);
  const word = await witness({ trust }).testify(attestation, call);
  const token = Buffer.from(word.kind === "timestamp" ? word.token : "", "base64");
  const silent = witness({ trust, http: { request: () => Promise.reject(new Error("asked")) } });
  const outcomes = new Set<string>();
  for (let at = 0; at < token.length; at += 1) {
    const damaged = Buffer.from(token);
    damaged.writeUInt8((damaged[at] ?? 0) ^ 0x41, at);
    const work = silent.testify(withWord(attestation, { kind: "timestamp", token: damaged.toString("base64") }), call);
    outcomes.add(
      await work.then(
        () => "kept",
        (error: Error) => error.message,
      ),
    );
  }
  expect([...outcomes].sort()).toEqual(["asked", "kept"]);
});
