import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ApiServer,
  applyTektonCrds,
  cosign,
  type Etcd,
  type Registry,
  startApiServer,
  startDockerRegistry,
  startEtcd,
  tempFolder,
} from "./harness/index.ts";
import "./harness/on-failure.ts";
import { countersign, type Said } from "./harness/countersign.ts";
import { pushImage } from "./harness/system.ts";

const folder = tempFolder("cli");

/** One command line of a person with COSIGN_PASSWORD in the environment. */
const ours = (...args: string[]): Promise<Said> => countersign(args, { COSIGN_PASSWORD: "pw", DOCKER_CONFIG: folder });

const runYaml = (name: string, image: string): string => {
  const [repository = "", digest = ""] = image.split("@");
  const results = [
    { name: "IMAGE_URL", type: "string", value: repository },
    { name: "IMAGE_DIGEST", type: "string", value: digest },
  ];
  const status = {
    conditions: [{ type: "Succeeded", status: "True" }],
    startTime: "2026-11-24T10:00:00Z",
    completionTime: "2026-11-24T10:01:00Z",
    results,
  };
  const metadata = { name, namespace: "default", uid: "8e1c1b2e-0000-4000-8000-000000000001" };
  return JSON.stringify({ apiVersion: "tekton.dev/v1", kind: "TaskRun", metadata, spec: { taskRef: { name: "build" } }, status }, null, 2);
};

describe("the CLI beside cosign, on a real registry", () => {
  let registry: Registry;
  let image: string;
  const keys = `${folder}/keys`;
  const trusting = ["--insecure-ignore-tlog=true", "--key"];

  beforeAll(async () => {
    registry = await startDockerRegistry();
    image = await pushImage(registry, "app");
    expect(await ours("keys", "generate", keys)).toMatchObject({ code: 0, stderr: "" });
  });
  afterAll(() => registry?.stop());

  test("cosign signs with the key that the CLI made, and the CLI verifies it", async () => {
    const plain = ["--tlog-upload=false", "--new-bundle-format=false", "--use-signing-config=false", "-y"];
    await cosign(["sign", ...plain, "--key", `${keys}/cosign.key`, image], { COSIGN_PASSWORD: "pw" });
    const answer = await ours("verify", "image", image, "--key", `${keys}/cosign.pub`, "--type", "signature");
    expect(answer).toMatchObject({ code: 0, stderr: "" });
  });

  test.each([
    ["in-toto", "slsaprovenance"],
    ["slsa/v2alpha4", "slsaprovenance1"],
  ])("cosign verifies what the CLI attests: %s", async (format, type) => {
    writeFileSync(`${folder}/run.json`, runYaml("build", image));
    const settings = ["-c", `artifacts.taskrun.format=${format}`, "-c", "artifacts.taskrun.storage=oci"];
    for (let time = 0; time < 2; time++)
      expect(await ours("attest", `${folder}/run.json`, "--signing-secrets", keys, ...settings)).toMatchObject({ code: 0, stderr: "" });
    await cosign(["verify", ...trusting, `${keys}/cosign.pub`, image]);
    const { stdout } = await cosign(["verify-attestation", ...trusting, `${keys}/cosign.pub`, "--type", type, image]);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(await ours("verify", "image", image, "--key", `${keys}/cosign.pub`, "--type", type)).toMatchObject({ code: 0, stderr: "" });
  });

  test("both refuse another key", async () => {
    await ours("keys", "generate", `${folder}/other`);
    const other = `${folder}/other/cosign.pub`;
    expect((await cosign(["verify", ...trusting, other, image], {}, { mayFail: true })).code).not.toBe(0);
    expect((await ours("verify", "image", image, "--key", other)).code).toBe(12);
  });
});

describe("the CLI in a real cluster", () => {
  let etcd: Etcd;
  let api: ApiServer;
  const inCluster = (): string[] => ["--kubeconfig", api.kubeconfig];

  beforeAll(async () => {
    etcd = await startEtcd();
    api = await startApiServer({ etcd });
    await applyTektonCrds(api);
    await api.kubectl(["create", "namespace", "tekton-chains"]);
    await api.kubectl(["create", "secret", "generic", "signing-secrets", "-n", "tekton-chains"]);
  });
  afterAll(async () => {
    await api?.stop();
    await etcd?.stop();
  });

  test("fills the empty Secret of a release once, and never again", async () => {
    const place = "k8s://tekton-chains/signing-secrets";
    expect(await ours("keys", "generate", place, ...inCluster())).toMatchObject({ code: 0, stderr: "" });
    const password = await api.kubectl([
      "get",
      "secret",
      "signing-secrets",
      "-n",
      "tekton-chains",
      "-o",
      "jsonpath={.data.cosign\\.password}",
    ]);
    expect(Buffer.from(password.stdout, "base64").toString()).toBe("pw");
    expect((await ours("keys", "generate", place, ...inCluster())).stderr).toContain("is not overwritten");
    expect(await ours("keys", "generate", "k8s://default/fresh", ...inCluster())).toMatchObject({ code: 0, stderr: "" });
  });

  test("verifies a run there, with the key out of the Secret", async () => {
    const data = JSON.parse((await api.kubectl(["get", "secret", "signing-secrets", "-n", "tekton-chains", "-o", "json"])).stdout).data;
    const keys = tempFolder("secret");
    for (const name of ["cosign.key", "cosign.password"]) writeFileSync(`${keys}/${name}`, Buffer.from(data[name], "base64"));
    const created = JSON.parse(
      (await api.kubectl(["create", "-f", "-", "-o", "json"], { input: runYaml("build", "registry.example/app@sha256:aa") })).stdout,
    );
    const run = { ...JSON.parse(runYaml("build", "registry.example/app@sha256:aa")), metadata: { ...created.metadata } };
    writeFileSync(`${keys}/run.json`, JSON.stringify(run));
    const attested = await ours("attest", `${keys}/run.json`, "--signing-secrets", keys, "-c", "artifacts.oci.storage=", "-o", "json");
    expect(attested).toMatchObject({ code: 0, stderr: "" });
    const { annotations } = JSON.parse(attested.stdout).runs[0];
    const pairs = Object.entries(annotations).map(([key, value]) => `${key}=${value}`);
    await api.kubectl(["annotate", "taskrun", "build", ...pairs]);
    const verify = ["verify", "run", "taskrun/build", "--key", "k8s://tekton-chains/signing-secrets", ...inCluster()];
    expect(await ours(...verify)).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringContaining("verified  TaskRun default/build"),
    });
    expect((await ours(...verify, "-n", "elsewhere")).code).toBe(3);
  });
});
