export { annotationManager, finalizerManager, ourFinalizers, pathOf, resourceOf } from "./apply.ts";
export { backOffMs, pause } from "./back-off.ts";
export { type ConfigMapData, type ConfigMapListener, type ConfigMapOptions, readConfigMap, watchConfigMap } from "./config-map.ts";
export { type ConnectionOptions, type KubeConnection, type KubeRequest, kubeConnection, type Verb } from "./connection.ts";
export {
  isInCluster,
  type KubeCredentials,
  type KubeconfigOptions,
  kubeconfigCredentials,
  type PodCredentialsOptions,
  podCredentials,
} from "./credentials.ts";
export { clusterEvents, type Events, type EventsOptions, type RunEvent } from "./events.ts";
export { clusterFault, isExpired, isNotFound, KubeError, type Status } from "./kube-error.ts";
export { type ListWatchOptions, listWatch, type WatchListener } from "./list-watch.ts";
export { type RegistrySecret, type RegistrySecrets, type RegistrySecretsOptions, registrySecrets } from "./registry-credentials.ts";
export { clusterRuns, type RunName, type Runs } from "./runs.ts";
