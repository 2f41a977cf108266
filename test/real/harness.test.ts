import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ApiServer,
  applyTektonCrds,
  cosign,
  type Etcd,
  request,
  signingConfigOf,
  startApiServer,
  startDockerRegistry,
  startEtcd,
  startOciRegistry,
  startRekor,
  startSigstore,
  startTrillian,
  tempFolder,
  trustedRootOf,
} from "./harness/index.ts";
import "./harness/on-failure.ts";

describe("a real API server", () => {
  let etcd: Etcd;
  let api: ApiServer;

  beforeAll(async () => {
    etcd = await startEtcd();
    api = await startApiServer({ etcd, auditLog: true });
  });
  afterAll(async () => {
    await api?.stop();
    await etcd?.stop();
  });

  test("has Tekton's resources and keeps a TaskRun, whose status a create drops", async () => {
    console.log(`CRDs: ${await applyTektonCrds(api)}`);
    const run = {
      apiVersion: "tekton.dev/v1",
      kind: "TaskRun",
      metadata: { name: "one" },
      spec: { taskRef: { name: "build" } },
      status: { podName: "p" },
    };
    const created = await api.request("/apis/tekton.dev/v1/namespaces/default/taskruns", { method: "POST", body: run });
    expect(created.status).toBe(201);
    expect(created.json()).not.toHaveProperty("status");
    const { stdout } = await api.kubectl(["get", "taskrun", "one", "-o", "jsonpath={.spec.taskRef.name}"]);
    expect(stdout).toBe("build");
  });

  test("knows nobody without a token, and a ServiceAccount only as far as a role goes", async () => {
    expect((await api.request("/api/v1/namespaces/default/secrets", { token: "" })).status).toBe(403);
    await api.kubectl(["create", "serviceaccount", "reader"]);
    const token = await api.serviceAccountToken("default", "reader");
    const list = "/api/v1/namespaces/default/configmaps";
    expect((await api.request(list, { token })).status).toBe(403);
    await api.kubectl(["create", "role", "reader", "--verb=list", "--resource=configmaps"]);
    await api.kubectl(["create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:reader"]);
    await expect.poll(async () => (await api.request(list, { token })).status, { timeout: 5000 }).toBe(200);
    const mine = { user: "system:serviceaccount:default:reader", verb: "list", resource: "configmaps" };
    await expect.poll(() => api.requests({ ...mine, code: 200 }).length, { timeout: 5000 }).toBe(1);
    expect(api.requests({ ...mine, code: 403 }).length).toBeGreaterThanOrEqual(1);
  });

  test("comes back on the same etcd with everything it had", async () => {
    await api.kubectl(["create", "configmap", "before", "--from-literal=a=1"]);
    let down: unknown;
    await api.restart({
      whileDown: async () => {
        down = await api.request("/readyz").catch((error: unknown) => error);
      },
    });
    expect(down).toBeInstanceOf(Error);
    expect((await api.kubectl(["get", "configmap", "before", "-o", "jsonpath={.data.a}"])).stdout).toBe("1");
  });

  test("a command that fails says what was wrong", async () => {
    await expect(api.kubectl(["get", "configmap", "nowhere"])).rejects.toThrow(/not found/);
    expect((await api.kubectl(["get", "configmap", "nowhere"], { mayFail: true })).code).toBe(1);
  });
});

test("a registry with the Referrers API, one with it switched off, and one that never had it", async () => {
  const registries = await Promise.all([startOciRegistry(), startOciRegistry({ referrers: false }), startDockerRegistry()]);
  try {
    const blob = `sha256:${createHash("sha256").update("x").digest("hex")}`;
    const asked = await Promise.all(
      registries.map(async ({ url }) => {
        const upload = await request(`${url}/v2/some/image/blobs/uploads/`, { method: "POST" });
        const place = new URL(`${upload.headers["location"]}`, url);
        place.searchParams.set("digest", blob);
        const headers = { "content-type": "application/octet-stream" };
        expect((await request(place.href, { method: "PUT", body: "x", headers })).status).toBe(201);
        return request(`${url}/v2/some/image/referrers/${blob}`);
      }),
    );
    expect(asked.map((answer) => answer.status)).toEqual([200, 404, 404]);
  } finally {
    await Promise.all(registries.map((registry) => registry.stop()));
  }
});

test("a server that cannot start says why", async () => {
  const etcd = { url: "http://127.0.0.1:1", logs: () => "", stop: async () => undefined };
  await expect(startApiServer({ etcd, args: ["--no-such-flag"] })).rejects.toThrow(/unknown flag: --no-such-flag/);
});

test("cosign makes a key where it is told to", async () => {
  const cwd = tempFolder("cosign");
  await cosign(["generate-key-pair"], { COSIGN_PASSWORD: "pw" }, { cwd });
  expect(readFileSync(`${cwd}/cosign.pub`, "utf8")).toMatch(/^-----BEGIN PUBLIC KEY-----/);
});

test("Sigstore's servers give cosign a certificate, a log entry of either generation and the time, and cosign believes them by the trust root alone", async () => {
  const [sigstore, other] = await Promise.all([
    startSigstore(),
    startTrillian().then(async (trillian) => ({ trillian, rekor: await startRekor({ trillian }) })),
  ]);
  const { issuer, fulcio, rekor, tiles, timestamps, trustedRoot } = sigstore;
  const folder = tempFolder("blob");
  writeFileSync(`${folder}/blob`, "hello");
  const who = ["--certificate-identity=ann@example.test", `--certificate-oidc-issuer=${issuer.url}`];
  try {
    const strangers = await trustedRootOf({ fulcio, rekor: other.rekor, timestamps });
    for (const [name, believed] of [
      ["v1", { fulcio, rekor }],
      ["v2", { fulcio, tiles, timestamps }],
    ] as const) {
      const bundle = `${folder}/${name}.json`;
      const token = issuer.token({ sub: "ann", email: "ann@example.test", email_verified: true });
      const config = [`--signing-config=${await signingConfigOf(believed)}`, `--trusted-root=${trustedRoot.file}`];
      await cosign(["sign-blob", "--yes", ...config, `--identity-token=${token}`, `--bundle=${bundle}`, `${folder}/blob`]);
      const verify = (root: string): ReturnType<typeof cosign> =>
        cosign(["verify-blob", ...who, `--trusted-root=${root}`, `--bundle=${bundle}`, `${folder}/blob`], {}, { mayFail: true });
      expect([name, (await verify(trustedRoot.file)).code]).toEqual([name, 0]);
      expect([name, (await verify(strangers.file)).code]).not.toEqual([name, 0]);
    }
  } finally {
    await Promise.all([sigstore.stop(), other.rekor.stop(), other.trillian.stop()]);
  }
});
