import type { ChainsConfig } from "@countersign/config";

/** "x509" is two plug-ins: a key from a file, or none at all. */
export const signerPlugIn = (name: string, { signers }: ChainsConfig): string =>
  name === "x509" && signers.x509.fulcio.enabled ? "keyless" : name;

/** "oci" is two layouts, each a plug-in. */
export function storagePlugIn(name: string, { storage }: ChainsConfig): string {
  const { encodingFormat } = storage.oci;
  return name === "oci" && encodingFormat !== "dsse" ? `oci:${encodingFormat}` : name;
}
