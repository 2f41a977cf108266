export { type Catalog, catalog, type FormatterChoice, type SignerChoice } from "./catalog.ts";
export type { CatalogHost, PlanHost, RegistryAccess } from "./host.ts";
export { planFromConfig } from "./plan-from-config.ts";
export { unsupportedIn } from "./unsupported.ts";
