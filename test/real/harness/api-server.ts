import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { freePort } from "@countersign/testing";
import { part } from "../../parts/where.ts";
import { type AuditedRequest, auditedRequests, auditPolicy } from "./audit.ts";
import { type Server, startServer } from "./child.ts";
import type { Etcd } from "./etcd.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { type Answer, type Ask, request } from "./request.ts";
import { tempFolder } from "./temp-folder.ts";
import { type Printed, type ToolOptions, tool } from "./tool.ts";

export interface ApiServerOptions {
  readonly etcd: Etcd;
  /** Keep a line for each request, for requests(). */
  readonly auditLog?: boolean;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ApiServer extends Server {
  readonly url: string;
  /** PEM of the certificate it signed for itself. */
  readonly ca: string;
  readonly caFile: string;
  /** Of a user in system:masters. */
  readonly adminToken: string;
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly folder: string;
  /** As admin, unless `token` says otherwise ("" is nobody). */
  request(path: string, ask?: Ask): Promise<Answer>;
  kubectl(args: readonly string[], options?: ToolOptions & { readonly kubeconfig?: string }): Promise<Printed>;
  /** A token of one hour, as a pod of that ServiceAccount has it. */
  serviceAccountToken(namespace: string, name: string, ...args: string[]): Promise<string>;
  /** Needs auditLog. A filter is a set of equal fields. */
  requests(filter?: Partial<AuditedRequest>): readonly AuditedRequest[];
  /** Killed and started again on the same etcd, port and keys. */
  restart(options?: { readonly whileDown?: () => Promise<void> }): Promise<void>;
}

/** RBAC on, no controller manager: nobody makes default ServiceAccounts, nobody collects garbage, a deleted namespace stays. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const folder = tempFolder("kube-apiserver");
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const adminToken = "admin-token-of-a-test";
  const caFile = `${folder}/certs/apiserver.crt`;
  const audit = `${folder}/audit.jsonl`;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  writeFileSync(`${folder}/sa.key`, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  writeFileSync(`${folder}/tokens.csv`, `${adminToken},admin,admin-uid,"system:masters"\n`, { mode: 0o600 });
  writeFileSync(`${folder}/audit-policy.json`, JSON.stringify(auditPolicy));
  const args = [
    `--etcd-servers=${options.etcd.url}`,
    ...["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", `--secure-port=${port}`, `--cert-dir=${folder}/certs`],
    ...[`--service-account-issuer=${url}`, `--api-audiences=${url}`],
    ...[`--service-account-signing-key-file=${folder}/sa.key`, `--service-account-key-file=${folder}/sa.key`],
    ...["--authorization-mode=RBAC", `--token-auth-file=${folder}/tokens.csv`],
    ...["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24"],
    ...(options.auditLog ? [`--audit-policy-file=${folder}/audit-policy.json`, `--audit-log-path=${audit}`] : []),
    ...(options.args ?? []),
  ];
  const ca = (): string => readFileSync(caFile, "utf8");
  const ask = (path: string, how: Ask = {}): Promise<Answer> =>
    request(url + path, { ca: ca(), ...how, token: how.token === "" ? undefined : (how.token ?? adminToken) });
  const start = (): Promise<Server> =>
    startServer("kube-apiserver", part("kube-apiserver"), args, {
      env: { ...process.env, ...options.env },
      // The namespace is made a moment after /readyz, the first time.
      ready: async () => ((await ask("/readyz")).status === 200 && (await ask("/api/v1/namespaces/default")).status === 200) || undefined,
    });

  let server = await start();
  const kubeconfig = writeKubeconfig(`${folder}/kubeconfig`, { url, ca: ca(), token: adminToken, namespace: "default" });
  const kubectl: ApiServer["kubectl"] = (words, how = {}) =>
    tool("kubectl", [`--kubeconfig=${how.kubeconfig ?? kubeconfig}`, `--cache-dir=${folder}/kubectl-cache`, ...words], how);
  return {
    ...{ url, ca: ca(), caFile, adminToken, kubeconfig, folder, request: ask, kubectl },
    serviceAccountToken: async (namespace, name, ...more) =>
      (await kubectl(["create", "token", name, `--namespace=${namespace}`, ...more])).stdout.trim(),
    requests: (filter = {}) =>
      auditedRequests(audit).filter((seen) => Object.entries(filter).every(([key, value]) => seen[key as keyof AuditedRequest] === value)),
    restart: async ({ whileDown } = {}) => {
      await server.stop();
      await whileDown?.();
      server = await start();
    },
    logs: () => server.logs(),
    stop: () => server.stop(),
  };
}
