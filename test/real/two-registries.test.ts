import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "@countersign/signers-x509";
import { freePort, kubeApi, registry as sandboxRegistry } from "@countersign/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { cosign, request, startDockerRegistry } from "./harness/index.ts";
import { writeKubeconfig } from "./harness/kubeconfig.ts";
import { pushImage } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * The story of the quick start, told twice at the same address: once into docker-registry, once into the sandbox's. What lies there
 * afterwards is the same, digest by digest; and cosign accepts what lies there, refuses it with another key and after one flipped byte.
 */
const root = `${import.meta.dirname}/../..`;
const folder = mkdtempSync(join(tmpdir(), "countersign-two-"));
const examples = ["taskrun-build-image.yaml", "pipelinerun-release.yaml", "taskrun-failed.yaml"];
const tags = (digest: string) =>
  ["team/app", "team/release"].flatMap((repository) =>
    ["sig", "att"].map((kind) => [repository, `${digest.replace(":", "-")}.${kind}`] as const),
  );
let port: number;
let host: string;

beforeAll(async () => {
  port = await freePort();
  host = `127.0.0.1:${port}`;
  for (const [name, password] of [
    ["ours", "pass"],
    ["theirs", "other"],
  ] as const) {
    mkdirSync(join(folder, name));
    const files = { ...(await generateKeyPair(password)), "cosign.password": password };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text, { mode: 0o600 });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The runs with uids that stay, attested by the real controller; answers the manifests' texts by place. */
async function story(digest: string): Promise<Readonly<Record<string, string>>> {
  const cluster = await kubeApi({ namespaces: ["tekton-chains"] });
  const data = {
    "artifacts.taskrun.storage": "tekton,oci",
    "artifacts.pipelinerun.storage": "tekton,oci",
    "filter.managed-by": "countersign.dev/quickstart",
  };
  cluster.seed({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config", namespace: "tekton-chains" }, data });
  const runs = examples.flatMap((file) =>
    parseAllDocuments(
      readFileSync(`${root}/examples/quickstart/${file}`, "utf8")
        .replaceAll("REGISTRY/", `${host}/`)
        .replaceAll(/\bDIGEST\b/g, digest),
    ).map((document) => document.toJS()),
  );
  for (const run of runs) cluster.seed({ ...run, metadata: { ...run.metadata, uid: `uid-of-${run.metadata.name}` } });
  const kubeconfig = writeKubeconfig(join(folder, "kubeconfig"), { url: cluster.url });
  const args = [
    `${root}/apps/controller/src/bin.ts`,
    `--kubeconfig=${kubeconfig}`,
    `--signing-secrets=${folder}/ours`,
    "--metrics-port=0",
    "--probe-port=0",
  ];
  const controller: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, HOME: folder, SYSTEM_NAMESPACE: "tekton-chains" },
    stdio: "ignore",
  });
  const marks = () =>
    runs.map(
      ({ kind, metadata: { name } }) =>
        cluster.peek(`${kind.toLowerCase()}s`, "default", name)?.metadata.annotations?.["chains.tekton.dev/signed"],
    );
  await expect.poll(marks, { timeout: 30_000 }).toEqual(runs.map(() => "true"));
  controller.kill("SIGKILL");
  await cluster.close();
  const manifests = await Promise.all(
    tags(digest).map(async ([repository, tag]) => [`${repository}:${tag}`, await manifest(repository, tag)] as const),
  );
  return Object.fromEntries(manifests);
}

async function manifest(repository: string, tag: string): Promise<string> {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const { status, text } = await request(`http://${host}/v2/${repository}/manifests/${tag}`, { headers: { accept } });
  expect([tag, status]).toEqual([tag, 200]);
  return text;
}

test("docker-registry and the sandbox hold the same, and cosign accepts it", async () => {
  const docker = await startDockerRegistry(port);
  const image = await pushImage(docker, "team/app");
  const digest = image.split("@")[1] ?? "";
  await pushImage(docker, "team/release");
  const inDocker = await story(digest);

  const verify = (key: string, ...words: string[]) =>
    cosign(
      [...words, "--key", join(folder, key, "cosign.pub"), "--insecure-ignore-tlog=true", "--allow-http-registry", image],
      {},
      { mayFail: true },
    );
  const attestation = ["verify-attestation", "--type", "slsaprovenance"];
  expect((await verify("ours", "verify")).code).toBe(0);
  expect((await verify("ours", ...attestation)).code).toBe(0);
  expect((await verify("theirs", "verify")).code).not.toBe(0);
  expect((await verify("theirs", ...attestation)).code).not.toBe(0);
  await flipOneByte(digest);
  expect((await verify("ours", ...attestation)).code).not.toBe(0);
  expect((await verify("ours", "verify")).code).toBe(0);
  await docker.stop();

  const sandbox = await sandboxRegistry({ port });
  await pushImage({ host, url: `http://${host}` }, "team/app");
  await pushImage({ host, url: `http://${host}` }, "team/release");
  const inSandbox = await story(digest);
  await sandbox.close();
  expect(inSandbox).toEqual(inDocker);
});

/** The attestation's layer with another payload byte under its own, right digest: everything fits but the signature. */
async function flipOneByte(digest: string): Promise<void> {
  const tag = `${digest.replace(":", "-")}.att`;
  const base = `http://${host}/v2/team/app`;
  const old = JSON.parse(await manifest("team/app", tag));
  const envelope = JSON.parse((await request(`${base}/blobs/${old.layers[0].digest}`)).text);
  const payload = Buffer.from(envelope.payload, "base64").toString();
  envelope.payload = Buffer.from(payload.replace("tekton.dev/chains/v2", "tekton.dev/chains/v3")).toString("base64");
  const text = JSON.stringify(envelope);
  const { createHash } = await import("node:crypto");
  const flipped = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  const upload = await request(`${base}/blobs/uploads/`, { method: "POST" });
  const place = new URL(`${upload.headers["location"]}`, base);
  place.searchParams.set("digest", flipped);
  await request(place.href, { method: "PUT", body: text, headers: { "content-type": "application/octet-stream" } });
  const layers = [{ ...old.layers[0], digest: flipped, size: Buffer.byteLength(text) }];
  const put = await request(`${base}/manifests/${tag}`, {
    method: "PUT",
    body: JSON.stringify({ ...old, layers }),
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
  });
  expect(put.status).toBe(201);
}
