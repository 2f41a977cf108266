export { type KubeApi, type KubeApiOptions, kubeApi, type SeenRequest } from "./kube-api.ts";
export type { KubeObject } from "./objects.ts";
