import { rekor } from "@countersign/testing";
import { expect, test } from "vitest";
import { rekorStorage } from "./rekor-storage.ts";
import { call, signedBy, wire } from "./surroundings.fixture.ts";

test("the log as a place: the entry's address, once", async () => {
  const log = await rekor();
  const storage = rekorStorage({ url: log.url, http: wire });
  const attestation = await signedBy("P-256");
  const where = { artifact: attestation.artifact, payload: attestation.payload, annotations: {} };
  const stored = await storage.store(attestation, call);
  expect(stored).toEqual({ uris: [`${log.url}/api/v1/log/entries?logIndex=0`] });
  expect(await storage.store(attestation, call)).toEqual(stored);
  expect(await storage.find?.(where, call)).toMatchObject([{ signature: { publicKey: attestation.signature.publicKey } }]);
  await log.close();
});
