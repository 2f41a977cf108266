export type { Credential, Repository } from "@countersign/oci-client";
export type { Attached } from "./discover.ts";
export {
  type CredentialSource,
  type DockerKeychainOptions,
  dockerKeychain,
  firstOf,
  type SecretText,
  secretsKeychain,
} from "./keychain.ts";
export { type OciOptions, type OciStorage, ociStorage } from "./oci-storage.ts";
