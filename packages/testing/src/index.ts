export { type AnAttestationOptions, anAttestation } from "./an-attestation.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export { type FakeSigner, type FakeSignerOptions, fakeSigner } from "./fake-signer.ts";
export { type MemoryStorage, memoryStorage } from "./memory-storage.ts";
export { aDigest, aPipelineRun, aTaskRun, type PipelineRunBuilder, type RunBuilder, type RunObject, type TaskRunBuilder } from "./runs.ts";
export { type CtLog, type CtLogOptions, ctLog } from "./servers/ct-log.ts";
export { freePort } from "./servers/free-port.ts";
export { type Fulcio, type FulcioMood, type FulcioOptions, type FulcioRequest, fulcio } from "./servers/fulcio.ts";
export type { IssuerType } from "./servers/fulcio-token.ts";
export { type KubeApi, type KubeApiOptions, kubeApi, type SeenRequest } from "./servers/kube-api/kube-api.ts";
export type { KubeObject } from "./servers/kube-api/objects.ts";
export { localhostTls } from "./servers/localhost-tls.ts";
export { canary, type Fault, type MisbehaveOptions, type Misbehaving, misbehave, type ProxiedRequest } from "./servers/misbehave.ts";
export { type OidcIssuer, type OidcIssuerOptions, oidcIssuer, type TokenAlgorithm } from "./servers/oidc-issuer.ts";
export { type Registry, type RegistryOptions, type RegistryRequest, registry } from "./servers/registry.ts";
export { type Rekor, type RekorEntry, type RekorOptions, type RekorRequest, rekor } from "./servers/rekor.ts";
export type { RekorMood } from "./servers/rekor-mood.ts";
export { type RekorTiles, type RekorTilesEntry, type RekorTilesMood, type RekorTilesOptions, rekorTiles } from "./servers/rekor-tiles.ts";
export {
  type TimestampAuthority,
  type TimestampAuthorityOptions,
  type TimestampMood,
  timestampAuthority,
} from "./servers/timestamp-authority.ts";
export type { GuardOptions } from "./servers/token-guard.ts";
export { type TrustedRootParts, trustedRoot } from "./servers/trusted-root.ts";
