import type { ChainsConfig } from "@countersign/config";

/** "x509" is two plug-ins: a key from a file, or none at all. */
export const signerPlugIn = (name: string, { signers }: ChainsConfig): string =>
  name === "x509" && signers.x509.fulcio.enabled ? "keyless" : name;

const tags = "oci";
const bundles = "oci:sigstore-bundle";

/** "oci" is two layouts, each a plug-in; they may be wanted together. */
export function storagePlugIns(name: string, { storage }: ChainsConfig): readonly string[] {
  if (name !== "oci") return [name];
  return { dsse: [tags], "sigstore-bundle": [bundles], both: [tags, bundles] }[storage.oci.encodingFormat];
}

/** What says that an image is signed: in a bundle another payload than everywhere else. */
export const imageFormat = (plugIn: string, { artifacts }: ChainsConfig): string =>
  plugIn === bundles ? "sign-v1" : artifacts.image.format;

/** What is signed, and where it goes. */
export interface Parcel {
  readonly isStatement: boolean;
  readonly plugIns: readonly string[];
}

/**
 * The witnesses that this configuration asks for. A log comes last: it sees what the others said. In a tag a statement's timestamp is over
 * the envelope, everywhere else over the signature.
 */
export function witnessPlugIns({ transparency }: ChainsConfig, isLogged: boolean, { isStatement, plugIns }: Parcel): readonly string[] {
  const stamps = plugIns.map((plugIn) => (isStatement && plugIn === tags ? "timestamp:envelope" : "timestamp"));
  return [...(transparency.timestampUrl === "" ? [] : new Set(stamps)), ...(isLogged ? ["rekor"] : [])];
}
