export type {
  ArtifactConfig,
  ChainsConfig,
  EncodingFormat,
  KmsAuth,
  PipelineRunConfig,
  RunFormat,
  SignerName,
  StorageName,
  Transparency,
} from "./chains-config.ts";
export { ConfigError, type Remark } from "./config-error.ts";
export { configurationPage } from "./configuration-page.ts";
export { type KeyRow, keys } from "./keys.ts";
export { type ParsedConfig, parseConfig } from "./parse-config.ts";
