import { attestRun, failuresOf } from "@countersign/attest";
import { type CatalogHost, catalog, planFromConfig } from "@countersign/catalog";
import { parseConfig } from "@countersign/config";
import { type Route, route } from "@countersign/core";
import { slsaV1 } from "@countersign/formatters-slsa-v1";
import { http } from "@countersign/http";
import { generateKeyPair, type KeySource, x509Signer } from "@countersign/signers-x509";
import { parseRun } from "@countersign/tekton";
import { aDigest, aTaskRun } from "@countersign/testing";
import { folderStorage } from "./folder-storage.ts";

const [root = "./shelf"] = process.argv.slice(2);
const image = aTaskRun().withResult("IMAGE_URL", "registry.example/team/app").withResult("IMAGE_DIGEST", aDigest("app"));
const run = parseRun(image.text());
const files = { "cosign.password": Buffer.from("secret"), "cosign.key": Buffer.from((await generateKeyPair("secret"))["cosign.key"]) };
const keys: KeySource = { current: async () => ({ version: "1", files }) };

/** In a route: the backend is an object like any other. */
const formatter = slsaV1({ builderId: "https://ci.example/builder", buildType: "", deepInspection: false, format: "slsa/v2alpha4" });
const direct = [route(run, formatter, { signer: x509Signer({ keys }), witnesses: [], backends: [folderStorage(`${root}/direct`)] })];

/** Through chains-config: "gcs" now means our folder, and its bucket the folder's name. */
const { config } = parseConfig({
  "artifacts.taskrun.storage": "gcs",
  "artifacts.oci.storage": "gcs",
  "storage.gcs.bucket": `${root}/by-config`,
});
const wire = http();
const host: CatalogHost = { keys, env: {}, credentials: () => async () => [], registryHttp: () => wire, http: () => wire };
const storage = { ...catalog.storage, gcs: () => folderStorage(config.storage.gcs.bucket) };
const byConfig = planFromConfig(config, host, { ...catalog, storage })(run);

await tell("direct", direct);
await tell("by config", byConfig);
await wire.close();

async function tell(how: string, routes: readonly Route[]): Promise<void> {
  const report = await attestRun(run, routes, { signal: AbortSignal.timeout(10_000) });
  for (const { route: id, stored } of report.outcomes) console.log(`${how}: ${id} ${stored.flatMap(({ uris }) => uris).join(" ")}`);
  for (const failure of failuresOf(report)) console.error(failure instanceof Error ? failure.message : failure);
  if (failuresOf(report).length > 0) process.exitCode = 1;
}
