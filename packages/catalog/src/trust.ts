import type { ChainsConfig } from "@countersign/config";
import type { SigstoreTrust } from "@countersign/verify";
import type { CatalogHost, TrustSource } from "./host.ts";

export function trustFrom(_config: ChainsConfig, _host: CatalogHost): TrustSource<SigstoreTrust> | undefined {
  return undefined;
}
