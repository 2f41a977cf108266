import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiServer, type Etcd, startApiServer, startEtcd } from "./harness/index.ts";
import "./harness/on-failure.ts";

/** Our deployment applied over objects with the names and labels of Tekton Chains' release. */
let etcd: Etcd;
let api: ApiServer;
beforeAll(async () => {
  etcd = await startEtcd();
  api = await startApiServer({ etcd });
});
afterAll(async () => {
  await api?.stop();
  await etcd?.stop();
});

const namespace = "tekton-chains";
const name = "tekton-chains-controller";
const labels = {
  "app.kubernetes.io/name": "controller",
  "app.kubernetes.io/component": "controller",
  "app.kubernetes.io/instance": "default",
  "app.kubernetes.io/part-of": "tekton-chains",
};
const chains: readonly object[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config", namespace } },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "signing-secrets", namespace } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, app: name } },
        spec: { serviceAccountName: name, containers: [{ name, image: "chains:1" }] },
      },
    },
  },
];

test("the Deployment takes over, settings and key stay", async () => {
  for (const object of chains) await api.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) });
  await api.kubectl(["patch", "cm", "chains-config", "-n", namespace, '-p={"data":{"artifacts.taskrun.format":"slsa/v1"}}']);
  await api.kubectl(["patch", "secret", "signing-secrets", "-n", namespace, '-p={"stringData":{"cosign.password":"x"}}']);
  await api.kubectl(["apply", "-k", `${import.meta.dirname}/../../deploy/base`]);
  const read = async (...args: string[]) => (await api.kubectl(["get", "-n", namespace, ...args])).stdout;
  expect(
    await read(
      "deploy",
      name,
      "-o",
      "jsonpath={.spec.strategy.type} {.spec.template.spec.containers[*].name} {.spec.template.spec.containers[*].image}",
    ),
  ).toMatch(/^Recreate tekton-chains-controller (?!chains:1)/);
  expect(await read("cm", "chains-config", "-o", "jsonpath={.data}")).toBe('{"artifacts.taskrun.format":"slsa/v1"}');
  expect(await read("secret", "signing-secrets", "-o", "jsonpath={.data.cosign\\.password}")).toBe(Buffer.from("x").toString("base64"));
});
