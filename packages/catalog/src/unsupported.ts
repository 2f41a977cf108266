import type { ChainsConfig } from "@countersign/config";
import { type Catalog, catalog } from "./catalog.ts";

/** What this configuration asks for and the catalog does not have: each of these puts its routes on hold. */
export function unsupportedIn(config: ChainsConfig, from: Catalog = catalog): readonly string[] {
  const { artifacts, signers, storage, transparency } = config;
  const enabled = Object.values(artifacts).filter((kind) => kind.enabled);
  const fulcio = signers.x509.fulcio.enabled;
  const wanted = [
    ...enabled.map(({ signer }) =>
      signer === "x509" && fulcio
        ? missing(from.signers, "keyless", "signers.x509.fulcio.enabled")
        : missing(from.signers, signer, `signer ${signer}`),
    ),
    ...enabled
      .flatMap((kind) => kind.storage.map((name) => storageName(name, storage.oci.encodingFormat)))
      .map((name) => missing(from.storage, name, `storage ${name}`)),
    transparency.enabled === "off" ? undefined : missing(from.witnesses, "rekor", "transparency.enabled"),
  ];
  return [...new Set(wanted.filter((one) => one !== undefined))];
}

const storageName = (name: string, encoding: string): string => (name === "oci" && encoding !== "dsse" ? `oci:${encoding}` : name);
const missing = (table: object, name: string, what: string): string | undefined => (Object.hasOwn(table, name) ? undefined : what);
