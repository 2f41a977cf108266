import type { ChainsConfig } from "./chains-config.ts";
import type { Remark } from "./config-error.ts";

/** Settings that are each fine and together are not what people mean. None of them stops anything. */
export function combinationsIn({ artifacts, storage: { oci }, signers: { x509 }, transparency }: ChainsConfig): readonly Remark[] {
  const enabled = Object.values(artifacts).filter((kind) => kind.enabled);
  const toRegistry = enabled.some(({ storage }) => storage.includes("oci"));
  const keyless = x509.fulcio.enabled && enabled.some(({ signer }) => signer === "x509");
  const logged = transparency.enabled !== "off";
  const rules: readonly (readonly [boolean, string, string])[] = [
    [
      toRegistry && oci.repository !== "" && oci.encodingFormat !== "dsse",
      "storage.oci.repository",
      "bundles live beside the image they are about, so storage.oci.repository says only where tags go",
    ],
    [
      toRegistry && oci.insecure,
      "storage.oci.repository.insecure",
      "storage.oci.repository.insecure gives up TLS for every registry; name the ones you mean in storage.oci.insecure-hosts instead",
    ],
    [
      keyless && !logged && transparency.timestampUrl === "",
      "signers.x509.fulcio.enabled",
      "a Fulcio certificate lasts minutes, and nothing says when it was used: set transparency.enabled or transparency.tsa.url, or verifiers will refuse it",
    ],
    [
      toRegistry && logged && transparency.version === "v2" && oci.encodingFormat === "dsse",
      "storage.oci.encoding-format",
      "a tag has no room for the entry of a Rekor v2, so nobody could verify it there: set storage.oci.encoding-format to sigstore-bundle or both",
    ],
    [
      keyless && logged && transparency.version === "v2" && transparency.timestampUrl === "",
      "transparency.version",
      "a Rekor v2 vouches for no time: set transparency.tsa.url, or verifiers will refuse keyless signatures",
    ],
  ];
  return rules.flatMap(([applies, key, sentence]) => (applies ? [{ key, sentence }] : []));
}
