export { type AnAttestationOptions, anAttestation } from "./an-attestation.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export { type FakeSigner, type FakeSignerOptions, fakeSigner } from "./fake-signer.ts";
export { type MemoryStorage, memoryStorage } from "./memory-storage.ts";
export { aDigest, aPipelineRun, aTaskRun, type PipelineRunBuilder, type RunBuilder, type RunObject, type TaskRunBuilder } from "./runs.ts";
export { type KubeApi, type KubeApiOptions, type KubeObject, kubeApi, type SeenRequest } from "./servers/kube-api/index.ts";
export { canary, type Fault, type MisbehaveOptions, type Misbehaving, misbehave, type ProxiedRequest } from "./servers/misbehave.ts";
export { type Registry, type RegistryOptions, type RegistryRequest, registry } from "./servers/registry.ts";
export type { GuardOptions } from "./servers/token-guard.ts";
