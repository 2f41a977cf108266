import { expect, test } from "vitest";
import * as conformance from "./conformance/index.ts";
import * as testing from "./index.ts";

test("what strangers may use", () => {
  expect(Object.keys(testing).sort()).toEqual([
    "aDigest",
    "aPipelineRun",
    "aTaskRun",
    "anAttestation",
    "canary",
    "ctLog",
    "fakeClock",
    "fakeSigner",
    "freePort",
    "fulcio",
    "kubeApi",
    "localhostTls",
    "memoryStorage",
    "misbehave",
    "oidcIssuer",
    "registry",
    "rekor",
    "rekorTiles",
    "timestampAuthority",
    "trustedRoot",
  ]);
  expect(Object.keys(conformance)).toEqual(["storageConformance"]);
});
