import { readFile } from "node:fs/promises";
import { attestRun, failuresOf } from "@countersign/attest";
import { dsseEnvelope } from "@countersign/bundle";
import { type Attestation, route } from "@countersign/core";
import { slsaV1 } from "@countersign/formatters-slsa-v1";
import { directoryKeys, x509Signer } from "@countersign/signers-x509";
import { parseRun } from "@countersign/tekton";

const [file = "taskrun.json", secrets = "./signing-secrets"] = process.argv.slice(2);
const run = parseRun(await readFile(file, "utf8"));
const formatter = slsaV1({ builderId: "https://ci.example/builder", buildType: "", deepInspection: false, format: "slsa/v2alpha4" });
const signer = x509Signer({ keys: directoryKeys(secrets) });

const shelf = new Map<string, Attestation>();
const store = async (attestation: Attestation): Promise<{ uris: string[] }> => {
  shelf.set(attestation.artifact.fullKey, attestation);
  return { uris: [`shelf:${attestation.artifact.fullKey}`] };
};

const routes = [route(run, formatter, { signer, witnesses: [], backends: [{ name: "shelf", store }] })];
const report = await attestRun(run, routes, { signal: AbortSignal.timeout(10_000) });

for (const failure of failuresOf(report)) console.error(failure instanceof Error ? failure.message : failure);
for (const attestation of shelf.values()) console.log(dsseEnvelope(attestation));
process.exitCode = failuresOf(report).length > 0 ? 1 : 0;
