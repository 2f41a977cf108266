import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";

export interface TestCluster extends AsyncDisposable {
  /** Path of a kubeconfig, with a token in it. */
  readonly kubeconfig: string;
  readonly token: string;
  /** API path to object. */
  readonly objects: Map<string, object>;
}

/** As much of an API server as `--key k8s://`, `keys generate k8s://` and `verify run` ask for. */
export async function testCluster(folder: string): Promise<TestCluster> {
  const objects = new Map<string, object>();
  const token = "canary-cluster-token";
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://cluster");
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { kind: "Status", code: 401, reason: "Unauthorized" });
    if (request.method === "POST") {
      const body = (await json(request)) as { metadata: { name: string } };
      objects.set(`${pathname}/${body.metadata.name}`, body);
      return answer(201, body);
    }
    const there = objects.get(pathname);
    if (!there) return answer(404, { kind: "Status", code: 404, reason: "NotFound" });
    if (request.method === "PATCH") objects.set(pathname, { ...there, ...((await json(request)) as object) });
    answer(200, objects.get(pathname));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const kubeconfig = join(folder, "kubeconfig");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "ci" } }],
      clusters: [{ name: "test", cluster: { server: url } }],
      users: [{ name: "test", user: { token } }],
    }),
  );
  return {
    kubeconfig,
    token,
    objects,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
