export type { Actions } from "./auth.ts";
export { anonymous, type Credential } from "./credential.ts";
export type { HelperOptions } from "./credential-program.ts";
export { credentialsFrom, type DockerConfig, parseDockerConfig } from "./docker-config.ts";
export {
  type Descriptor,
  emptyType,
  type ImageManifest,
  type Index,
  imageConfigType,
  imageManifestType,
  indexType,
  parseImageManifest,
  parseIndex,
  type StoredManifest,
  sha256Of,
} from "./manifest.ts";
export { isDigest, parseReference, parseRepository, type Reference, type Repository, textOf } from "./reference.ts";
export { fallbackTagOf, type Referrer, type ReferrersList } from "./referrers.ts";
export {
  type ManifestText,
  type OpenRepository,
  type PutOptions,
  type ReferrersCall,
  type Registries,
  type RegistryOptions,
  registries,
} from "./registry.ts";
export { RegistryError, type RegistryErrorFacts } from "./registry-error.ts";
export type { Call } from "./wire.ts";
