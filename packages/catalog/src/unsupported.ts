import type { ChainsConfig } from "@countersign/config";
import { type Catalog, catalog } from "./catalog.ts";
import { signerPlugIn, storagePlugIns, witnessPlugIns } from "./plug-in-name.ts";

/** What this configuration asks for and the catalog does not have: each of these puts its routes on hold. */
export function unsupportedIn(config: ChainsConfig, from: Catalog = catalog): readonly string[] {
  const enabled = Object.values(config.artifacts).filter((kind) => kind.enabled);
  const signers = enabled.map(({ signer }) => signerPlugIn(signer, config));
  const storages = enabled.flatMap((kind) => kind.storage.flatMap((name) => storagePlugIns(name, config)));
  const wanted = [
    ...signers.map((name) => missing(from.signers, name, name === "keyless" ? "signers.x509.fulcio.enabled" : `signer ${name}`)),
    ...storages.map((name) => missing(from.storage, name, `storage ${name}`)),
    ...witnessPlugIns(config, config.transparency.enabled !== "off", { isStatement: true, plugIns: storages }).map((name) =>
      missing(from.witnesses, name, `witness ${name}`),
    ),
  ];
  return [...new Set(wanted.filter((one) => one !== undefined))];
}

const missing = (table: object, name: string, what: string): string | undefined => (Object.hasOwn(table, name) ? undefined : what);
