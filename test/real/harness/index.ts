export { type ApiServer, type ApiServerOptions, startApiServer } from "./api-server.ts";
export type { AuditedRequest } from "./audit.ts";
export { lastWords, type Server, startServer } from "./child.ts";
export { type Etcd, startEtcd } from "./etcd.ts";
export { type KubeconfigOptions, writeKubeconfig } from "./kubeconfig.ts";
export { type Registry, startDockerRegistry, startOciRegistry } from "./registries.ts";
export { type Answer, type Ask, request } from "./request.ts";
export {
  type Believed,
  type Fulcio,
  type Rekor,
  type RekorTiles,
  type Sigstore,
  signingConfigOf,
  startFulcio,
  startRekor,
  startRekorTiles,
  startSigstore,
  startTimestampServer,
  startTrillian,
  type TrustedRoot,
  trustedRootOf,
} from "./sigstore.ts";
export { applyTektonCrds } from "./tekton-crds.ts";
export { tempFolder } from "./temp-folder.ts";
export { cosign, type Printed, type ToolOptions, tool } from "./tool.ts";
