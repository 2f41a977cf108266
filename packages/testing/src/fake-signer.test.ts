import { verify } from "node:crypto";
import { expect, test } from "vitest";
import { fakeSigner } from "./fake-signer.ts";

const message = Buffer.from("hello");
const call = { signal: new AbortController().signal };

test("one nature repeats itself and needs no recognising", async () => {
  const signer = fakeSigner();
  const [one, two] = [await signer.sign(message, call), await signer.sign(message, call)];
  expect(Buffer.compare(one.bytes, two.bytes)).toBe(0);
  expect(verify(null, message, one.publicKey, one.bytes)).toBe(true);
  expect(signer.recognise).toBeUndefined();
  expect(signer.signed).toBe(2);
});

test("the other varies and recognises its own among others", async () => {
  const [signer, stranger] = [fakeSigner({ nature: "varies" }), fakeSigner({ nature: "varies" })];
  const [one, two] = [await signer.sign(message, call), await signer.sign(message, call)];
  expect(Buffer.compare(one.bytes, two.bytes)).not.toBe(0);
  const theirs = await stranger.sign(message, call);
  expect(await signer.recognise?.(message, [theirs, one], call)).toMatchObject({ bytes: one.bytes, publicKey: signer.publicKey });
  expect(await signer.recognise?.(message, [theirs], call)).toBeUndefined();
  expect(await signer.recognise?.(Buffer.from("other"), [one], call)).toBeUndefined();
  expect(signer.signed).toBe(2);
});

test("it fails as it is told, and minds the signal", async () => {
  const signer = fakeSigner({ name: "kms" });
  expect(signer.name).toBe("kms");
  signer.fails = new Error("down");
  await expect(signer.sign(message, call)).rejects.toThrow("down");
  signer.fails = undefined;
  await expect(signer.sign(message, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  expect(signer.signed).toBe(0);
});
