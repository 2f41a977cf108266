export type { Credential, Repository } from "@countersign/oci-client";
export { type CredentialPorts, credentialSourceNames, credentialSources } from "./credentials/credential-sources.ts";
export type { Attached } from "./discover.ts";
export {
  type CredentialSource,
  type DockerKeychainOptions,
  dockerKeychain,
  inOrder,
  type SecretText,
  secretsKeychain,
} from "./keychain.ts";
export { type OciOptions, type OciStorage, ociStorage } from "./oci-storage.ts";
export type { Layout } from "./places.ts";
