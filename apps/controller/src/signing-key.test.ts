import { generateKeyPairSync } from "node:crypto";
import { parseConfig } from "@countersign/config";
import { generateKeyPair, type KeySource, sealCosignKey } from "@countersign/signers-x509";
import { expect, test } from "vitest";
import { watcherLog } from "./log.ts";
import { introduceKey, introduceSigner } from "./signing-key.ts";

async function introduced(files: Readonly<Record<string, string | Uint8Array>>): Promise<Readonly<Record<string, unknown>>[]> {
  const lines: string[] = [];
  const keys: KeySource = {
    place: "/keys",
    current: async () => ({
      version: "1",
      files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
    }),
  };
  await introduceKey(keys, watcherLog("info", {}, { write: (line) => lines.push(line) }));
  const told = lines.join();
  for (const text of Object.values(files)) expect(told).not.toContain(String(text).split("\n")[1] ?? "no such line");
  return lines.map((line) => JSON.parse(line));
}
const pem = (namedCurve: string) =>
  generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

test("file, algorithm and keyid of the key, as cosign writes them", async () => {
  const pair = await generateKeyPair("pw");
  const [line, ...more] = await introduced({ "cosign.key": pair["cosign.key"], "cosign.password": "pw" });
  expect(line).toMatchObject({ level: "info", msg: "signing key", file: "cosign.key", algorithm: "ecdsa-sha256" });
  expect(line?.["keyid"]).toMatch(/^SHA256:[\w+/]{43}$/);
  expect(more).toEqual([]);
  expect(await introduced({ "x509.pem": pem("P-384") })).toMatchObject([{ file: "x509.pem", algorithm: "ecdsa-sha256" }]);
});

test.each([
  ["P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
  ["P-521", () => generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey],
  ["Ed25519", () => generateKeyPairSync("ed25519").privateKey],
])("a cosign key of type %s: what verifiers will stumble over", async (_what, make) => {
  const sealed = await sealCosignKey(make().export({ type: "pkcs8", format: "der" }), Buffer.from(""));
  const lines = await introduced({ "cosign.key": sealed, "cosign.password": "" });
  expect(lines).toMatchObject([
    { level: "info", msg: "signing key" },
    { level: "warn", reason: expect.stringMatching(/prefer a P-256 key/) },
  ]);
});

test("a key without an SSH name has no keyid; no key at all is a warning, with the way out", async () => {
  const [line] = await introduced({ "x509.pem": pem("secp224r1") });
  expect([line?.["msg"], line?.["keyid"]]).toEqual(["signing key", undefined]);
  expect(await introduced({})).toMatchObject([{ level: "warn", reason: expect.stringMatching(/no signing key in \/keys/) }]);
  expect(await introduced({ "cosign.key": "nonsense\nof a file", "cosign.password": "pw" })).toMatchObject([{ level: "warn" }]);
});

test("who signs: a certificate instead of a key, or nobody", async () => {
  const said = async (data: Readonly<Record<string, string>>) => {
    const lines: string[] = [];
    const keys: KeySource = { place: "/keys", current: async () => ({ version: "1", files: {} }) };
    await introduceSigner(parseConfig(data).config, keys, watcherLog("info", {}, { write: (line) => lines.push(line) }));
    return lines.map((line) => JSON.parse(line));
  };
  const keyless = { "signers.x509.fulcio.enabled": "true", "signers.x509.fulcio.address": "https://fulcio.example" };
  expect(await said(keyless)).toMatchObject([{ level: "info", msg: "keyless signing", fulcio: "https://fulcio.example" }]);
  expect(await said({})).toMatchObject([{ level: "warn" }]);
  expect(
    await said({ "artifacts.taskrun.signer": "none", "artifacts.pipelinerun.signer": "none", "artifacts.oci.signer": "none" }),
  ).toEqual([]);
});
