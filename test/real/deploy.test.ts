import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServer, applyTektonCrds, type Etcd, startApiServer, startEtcd } from "./harness/index.ts";
import "./harness/on-failure.ts";

const deploy = `${import.meta.dirname}/../../deploy`;
const home = "tekton-chains";
const verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] as const;
/** Whatever Tekton Chains' own roles name, and what an intruder would like best. */
const resources = [
  ...["pods", "pods/log", "pods/exec", "events", "configmaps", "secrets", "serviceaccounts", "serviceaccounts/token"],
  ...["limitranges", "persistentvolumeclaims", "namespaces", "nodes", "deployments.apps", "statefulsets.apps"],
  ...["leases.coordination.k8s.io", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"],
  ...["clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"],
  ...["taskruns.tekton.dev", "taskruns/status.tekton.dev", "taskruns/finalizers.tekton.dev", "customruns.tekton.dev"],
  ...["pipelineruns.tekton.dev", "pipelineruns/status.tekton.dev", "pipelineruns/finalizers.tekton.dev", "tasks.tekton.dev"],
] as const;

const runs = ["taskruns.tekton.dev", "pipelineruns.tekton.dev"].flatMap((run) =>
  ["get", "list", "watch", "patch"].map((verb) => `${verb} ${run}`),
);
const everywhere = [...runs, "create events", "patch events", "get serviceaccounts", "get secrets"];
const atHome = [
  ...["get configmaps", "list configmaps", "watch configmaps"],
  ...["get leases.coordination.k8s.io", "create leases.coordination.k8s.io", "update leases.coordination.k8s.io"],
];

let etcd: Etcd;
let api: ApiServer;
let token: string;

beforeAll(async () => {
  etcd = await startEtcd();
  api = await startApiServer({ etcd });
  await applyTektonCrds(api);
  for (const name of ["team-a", "team-b", "team-c"]) await api.kubectl(["create", "namespace", name]);
  const { stderr } = await api.kubectl(["apply", "-k", `${deploy}/base`]);
  expect(stderr, "the API server has something to say about the manifests").toBe("");
  token = await api.serviceAccountToken(home, "tekton-chains-controller");
});
afterAll(async () => {
  await api?.stop();
  await etcd?.stop();
});

/** What the owner of the token may do in a namespace ("" is: in all of them), as the API server says. */
async function allowedIn(namespace: string, as = token): Promise<readonly string[]> {
  const questions = resources.flatMap((resource) => verbs.map((verb) => ({ resource, verb })));
  const answers = await Promise.all(
    questions.map(async ({ resource: name, verb }) => {
      const [, resource, subresource, group = ""] = /^([^./]+)(?:\/([^.]+))?(?:\.(.+))?$/.exec(name) ?? [];
      const spec = { resourceAttributes: { namespace, verb, group, resource, ...(subresource ? { subresource } : {}) } };
      const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec };
      const answer = await api.request("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { method: "POST", body, token: as });
      return answer.json<{ status: { allowed: boolean } }>().status.allowed ? `${verb} ${name}` : undefined;
    }),
  );
  return answers.filter((one) => one !== undefined);
}

describe("the ServiceAccount may do exactly what the controller does", () => {
  test("in a tenant's namespace", async () => {
    await expect.poll(async () => (await allowedIn("team-a")).length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect([...(await allowedIn("team-a"))].sort()).toEqual([...everywhere].sort());
  });

  test("in all namespaces at once", async () => {
    expect([...(await allowedIn(""))].sort()).toEqual([...everywhere].sort());
  });

  test("at home", async () => {
    expect([...(await allowedIn(home))].sort()).toEqual([...everywhere, ...atHome].sort());
  });

  test("kubectl says the same", async () => {
    const as = `--as=system:serviceaccount:${home}:tekton-chains-controller`;
    const canI = async (...words: string[]): Promise<string> =>
      (await api.kubectl(["auth", "can-i", as, ...words], { mayFail: true })).stdout.trim();
    expect(await canI("patch", "taskruns.tekton.dev", "-n", "team-a")).toBe("yes");
    expect(await canI("update", "taskruns.tekton.dev", "-n", "team-a")).toBe("no");
    expect(await canI("list", "secrets", "-n", "team-a")).toBe("no");
  });

  test("anybody may read the version, and nothing else of the namespace", async () => {
    await api.kubectl(["create", "serviceaccount", "passer-by", "-n", "team-c"]);
    const stranger = await api.serviceAccountToken("team-c", "passer-by");
    const read = async (path: string): Promise<number> =>
      (await api.request(`/api/v1/namespaces/${home}/${path}`, { token: stranger })).status;
    expect((await api.request(`/api/v1/namespaces/${home}/configmaps/chains-info`, { token: stranger })).json()).toMatchObject({
      data: { version: "devel" },
    });
    expect(await read("configmaps/chains-config")).toBe(403);
    expect(await read("configmaps")).toBe(403);
    expect(await read("secrets/signing-secrets")).toBe(403);
    expect(await allowedIn("team-c", stranger)).toEqual([]);
  });
});

interface Deployment {
  readonly spec: {
    readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>> }; readonly spec: PodSpec };
  };
}
interface PodSpec {
  readonly containers: readonly Readonly<Record<string, unknown>>[];
  readonly volumes: readonly Readonly<Record<string, unknown>>[];
  readonly hostNetwork?: boolean;
}

describe("the Deployment", () => {
  const template = async (): Promise<Deployment["spec"]["template"]> =>
    (await api.request(`/apis/apps/v1/namespaces/${home}/deployments/tekton-chains-controller`)).json<Deployment>().spec.template;

  test("makes pods that the restricted Pod Security level admits", async () => {
    const { metadata, spec } = await template();
    const admitted = async (pod: PodSpec): Promise<string> => {
      const body = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "probe", namespace: home, ...metadata }, spec: pod });
      const { code, stderr } = await api.kubectl(["create", "--dry-run=server", "-f", "-"], { input: body, mayFail: true });
      return code === 0 ? "admitted" : stderr;
    };
    expect(await admitted(spec)).toBe("admitted");
    // The level is really in force.
    expect(await admitted({ ...spec, hostNetwork: true })).toMatch(/violates PodSecurity "restricted/);
    const [first, ...others] = spec.containers;
    expect(await admitted({ ...spec, containers: [{ ...first, securityContext: {} }, ...others] })).toMatch(
      /violates PodSecurity "restricted/,
    );
  });

  test("keeps the names and places that patches for Tekton Chains rely on", async () => {
    const { metadata, spec } = await template();
    expect(metadata.labels).toMatchObject({ app: "tekton-chains-controller", "app.kubernetes.io/part-of": "tekton-chains" });
    expect(spec.containers).toMatchObject([
      {
        name: "tekton-chains-controller",
        ports: expect.arrayContaining([expect.objectContaining({ name: "metrics", containerPort: 9090 })]),
        securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
        volumeMounts: [
          { name: "signing-secrets", mountPath: "/etc/signing-secrets" },
          { name: "oidc-info", mountPath: "/var/run/sigstore/cosign" },
          { name: "sigstore-cache", mountPath: "/home/nonroot/.sigstore" },
        ],
      },
    ]);
    expect(spec.volumes).toMatchObject([
      { name: "signing-secrets", secret: { secretName: "signing-secrets" } },
      { name: "oidc-info", projected: { sources: [{ serviceAccountToken: { path: "oidc-token", audience: "sigstore" } }] } },
      { name: "sigstore-cache", emptyDir: { medium: "Memory" } },
    ]);
  });
});

test("applied again, it takes nothing away that people have set", async () => {
  await api.kubectl(["patch", "configmap", "chains-config", "-n", home, "-p", '{"data":{"artifacts.taskrun.format":"slsa/v1"}}']);
  await api.kubectl(["patch", "secret", "signing-secrets", "-n", home, "-p", '{"stringData":{"x509.pem":"key"}}']);
  await api.kubectl(["apply", "-k", `${deploy}/base`]);
  const read = async (what: string): Promise<string> => (await api.kubectl(["get", what, "-n", home, "-o", "jsonpath={.data}"])).stdout;
  expect(await read("configmap/chains-config")).toBe('{"artifacts.taskrun.format":"slsa/v1"}');
  expect(await read("secret/signing-secrets")).toContain("x509.pem");
});

test("the overlay with a network policy keeps metadata servers out of reach, and selects the controller's pod", async () => {
  await api.kubectl(["apply", "-k", `${deploy}/overlays/network-policy`]);
  const { stdout } = await api.kubectl(["get", "networkpolicy", "tekton-chains-controller", "-n", home, "-o", "json"]);
  const { spec } = JSON.parse(stdout);
  expect(spec).toMatchObject({ policyTypes: ["Ingress", "Egress"], podSelector: { matchLabels: { app: "tekton-chains-controller" } } });
  expect(JSON.stringify(spec.egress)).toContain("169.254.0.0/16");
});

test("the overlay for two namespaces ends at their borders", async () => {
  await api.kubectl(["delete", "clusterrolebinding", "tekton-chains-controller-cluster-access", "tekton-chains-controller-tenant-access"]);
  await api.kubectl(["apply", "-k", `${deploy}/overlays/two-namespaces`]);
  await expect.poll(() => allowedIn("team-c"), { timeout: 10_000 }).toEqual([]);
  expect(await allowedIn("")).toEqual([]);
  for (const namespace of ["team-a", "team-b"]) expect([...(await allowedIn(namespace))].sort()).toEqual([...everywhere].sort());
  expect([...(await allowedIn(home))].sort()).toEqual([...atHome].sort());
  const args = "jsonpath={.spec.template.spec.containers[0].args}";
  const { stdout } = await api.kubectl(["get", "deployment", "tekton-chains-controller", "-n", home, "-o", args]);
  expect(stdout).toBe('["--namespace","team-a,team-b"]');
});
