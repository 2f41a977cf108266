import type { ChainsConfig } from "@countersign/config";
import type { TrustSource } from "@countersign/core";
import { publicGoodMirror, type SigstoreTrust, trustSource } from "@countersign/verify";
import type { CatalogHost } from "./host.ts";

/**
 * The trust root that is configured: its text, a file, or a TUF repository, which is asked as soon as it is another one than everybody's
 * or is asked for by name. Undefined: none, and nobody is contacted for one.
 */
export function trustFrom({ trust, signers }: ChainsConfig, { env, http }: CatalogHost): TrustSource<SigstoreTrust> | undefined {
  if (trust.root !== "") return trustSource({ text: trust.root });
  if (trust.rootFile !== "") return trustSource({ file: trust.rootFile });
  const mirror = signers.x509.tufMirrorUrl;
  if (mirror === "" || (mirror === publicGoodMirror && !trust.tuf)) return undefined;
  const cacheFolder = env["SIGSTORE_NO_CACHE"] ? undefined : env["TUF_ROOT"];
  return trustSource({ tuf: { mirror, ...(cacheFolder && { cacheFolder }) }, http: http() });
}
