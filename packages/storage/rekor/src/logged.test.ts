import { generateKeyPairSync } from "node:crypto";
import type { Attestation, LogEntry } from "@countersign/core";
import { fulcio, rekor, rekorTiles } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAbout, loggedIn, signatureIn } from "./logged.ts";
import { rekorWitness } from "./rekor-witness.ts";
import { call, entryIn, signedBy, trusting, wire } from "./surroundings.fixture.ts";

type Kind = "dsse" | "intoto" | "hashedrekord" | "hashedrekord of v2";
const kinds: readonly Kind[] = ["dsse", "intoto", "hashedrekord", "hashedrekord of v2"];
const logged = new Map<Kind, { readonly attestation: Attestation; readonly entry: LogEntry }>();
let certificate = "";

beforeAll(async () => {
  const [v1, v2, ca] = await Promise.all([rekor(), rekorTiles(), fulcio()]);
  certificate = ca.certificates[0] ?? "";
  for (const kind of kinds) {
    const attestation = await signedBy("P-256", { envelope: kind === "hashedrekord" ? "none" : "dsse" });
    const witness =
      kind === "hashedrekord of v2"
        ? rekorWitness({ url: v2.url, http: wire, version: "v2", trust: trusting(v2.logs) })
        : rekorWitness({ url: v1.url, http: wire, entryKind: kind === "intoto" ? "intoto" : "dsse" });
    logged.set(kind, { attestation, entry: entryIn(await witness.testify(attestation, call)) });
  }
  await Promise.all([v1, v2, ca].map((server) => server.close()));
});
afterAll(() => logged.clear());

const of = (kind: Kind) => logged.get(kind) ?? expect.fail("not logged");
const bodyOf = ({ canonicalizedBody }: LogEntry): string => Buffer.from(canonicalizedBody, "base64").toString();
const withBody = (body: string) => ({ canonicalizedBody: Buffer.from(body).toString("base64") });

describe.each(kinds)("an entry of kind %s", (kind) => {
  test("is about its attestation, and gives back the signature with its key", () => {
    const { attestation, entry } = of(kind);
    expect(isAbout(entry, attestation)).toBe(true);
    const read = loggedIn(entry);
    const { bytes, publicKey } = read ? signatureIn(read) : expect.fail("unread");
    expect(Buffer.from(bytes).equals(Buffer.from(attestation.signature.bytes))).toBe(true);
    expect(publicKey).toBe(attestation.signature.publicKey);
  });

  test("is not about another payload, signature or key", () => {
    const { attestation, entry } = of(kind);
    const { payload, signature } = attestation;
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(isAbout(entry, { ...attestation, payload: { ...payload, body: Buffer.from("{}") } })).toBe(false);
    expect(isAbout(entry, { ...attestation, signature: { ...signature, bytes: Buffer.from([...signature.bytes, 0]) } })).toBe(false);
    expect(isAbout(entry, { ...attestation, signature: { ...signature, publicKey: stranger } })).toBe(false);
    expect(isAbout(entry, { ...attestation, signature: { ...signature, certificate } })).toBe(false);
  });

  test("is not read where it is damaged", () => {
    const { entry } = of(kind);
    for (const body of [
      "",
      "{",
      "{}",
      "null",
      bodyOf(entry).replace(/"spec":.*/, '"spec":{}}'),
      bodyOf(entry).replace(/0\.0\.[12]/, "0.0.9"),
    ])
      expect(loggedIn(withBody(body))).toBeUndefined();
  });
});

test("an envelope that several have signed is nobody's own", () => {
  for (const kind of ["dsse", "intoto"] as const) {
    const body = bodyOf(of(kind).entry).replace(/"signatures":\[(.*?)\]/, '"signatures":[$1,$1]');
    expect(body.length).toBeGreaterThan(bodyOf(of(kind).entry).length);
    expect(loggedIn(withBody(body))).toBeUndefined();
  }
});
