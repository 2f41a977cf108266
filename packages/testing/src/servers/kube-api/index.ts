export { type KubeApi, type KubeApiOptions, kubeApi, type SeenRequest } from "./kube-api.ts";
export type { KubeObject, ManagedFields, Metadata } from "./objects.ts";
