export { type KubeApi, type KubeApiOptions, type KubeObject, kubeApi, type SeenRequest } from "./servers/kube-api/index.ts";
