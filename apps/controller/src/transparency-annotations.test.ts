import type { Outcome } from "@countersign/attest";
import type { Evidence } from "@countersign/core";
import { anAttestation } from "@countersign/testing";
import { expect, test } from "vitest";
import { orphansIn, transparencyAnnotations } from "./transparency-annotations.ts";

const entry = (n: number): Evidence => ({
  kind: "log-entry",
  url: `https://log.example/api/v1/log/entries?logIndex=${n}`,
  entry: { logIndex: `${n}`, logId: { keyId: "" }, kindVersion: { kind: "dsse", version: "0.0.1" }, canonicalizedBody: "" },
});
const outcome = async (route: string, n: number | undefined, repository = "r.example/app"): Promise<Outcome> => {
  const attestation = await anAttestation({ repository, evidence: n === undefined ? [] : [entry(n)] });
  const artifact = { ...attestation.artifact, shortKey: "0123456789ab", fullKey: `${repository}@sha256:0123456789ab…` };
  return { route, artifact, attestation, stored: [], failures: [] };
};

test("one address for each payload, and upstream's one for the run: the last", async () => {
  const outcomes = [
    await outcome("image/simplesigning", 3),
    await outcome("image/sign-v1", 4),
    await outcome("image/simplesigning", 5, "r.example/copy"),
  ];
  const annotations = transparencyAnnotations({ outcomes });
  const address = (n: number): string => `https://log.example/api/v1/log/entries?logIndex=${n}`;
  expect(Object.values(annotations)).toEqual([address(3), address(4), address(5), address(5)]);
  expect(Object.keys(annotations)).toEqual([
    "chains.tekton.dev/transparency-0123456789ab",
    "chains.tekton.dev/transparency-0123456789ab-bundle",
    expect.stringMatching(/^chains\.tekton\.dev\/transparency-0123456789ab-[0-9a-f]{8}$/),
    "chains.tekton.dev/transparency",
  ]);
});

test("an outcome without an entry keeps its name for later, and a run that nobody logged says nothing", async () => {
  const first = await outcome("image/simplesigning", undefined);
  const second = await outcome("image/simplesigning", 5, "r.example/copy");
  expect(transparencyAnnotations({ outcomes: [first] })).toEqual({});
  const [name] = Object.keys(transparencyAnnotations({ outcomes: [first, second] }));
  expect(name).toMatch(/^chains\.tekton\.dev\/transparency-0123456789ab-[0-9a-f]{8}$/);
});

test("orphans are told by their address", async () => {
  const whole = await outcome("image/simplesigning", 3);
  expect(orphansIn({ outcomes: [{ ...whole, orphans: [entry(2)] }] })).toEqual(["https://log.example/api/v1/log/entries?logIndex=2"]);
});
