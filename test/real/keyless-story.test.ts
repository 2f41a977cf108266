import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "./harness/child.ts";
import { countersign } from "./harness/countersign.ts";
import { cosign, type Registry, request, type Sigstore, startDockerRegistry, startSigstore, tempFolder, tool } from "./harness/index.ts";
import { built, pushImage, type System, startSystem } from "./harness/system.ts";
import "./harness/on-failure.ts";

/**
 * The controller on a real cluster, configured as Chains' own tutorial does it, with Sigstore's own servers behind it; then keyless, as the
 * ServiceAccount that the cluster says it is. Whoever verifies uses the commands of that tutorial.
 */
let system: System;
let sigstore: Sigstore;
let registry: Registry;
let controller: Server;
let tokenFile: string;
const namespace = "tekton-chains";
const account = `https://kubernetes.io/namespaces/${namespace}/serviceaccounts/tekton-chains-controller`;

beforeAll(async () => {
  [system, registry] = await Promise.all([startSystem(), startDockerRegistry()]);
  // Fulcio reads the cluster's keys as anybody may who is let.
  const reader = ["--clusterrole=system:service-account-issuer-discovery", "--group=system:unauthenticated"];
  await system.api.kubectl(["create", "clusterrolebinding", "issuer-discovery", ...reader]);
  sigstore = await startSigstore({ issuers: [{ url: system.api.url, type: "kubernetes", ca: system.api.ca }] });
  tokenFile = `${tempFolder("oidc")}/oidc-token`;
  await newToken();
  const keys = ["cosign.key", "cosign.password", "cosign.pub"].map((name) => `--from-file=${name}=${system.keys}/${name}`);
  const secret = await system.api.kubectl([
    "create",
    "secret",
    "generic",
    "signing-secrets",
    `-n=${namespace}`,
    ...keys,
    "--dry-run=client",
    "-o=json",
  ]);
  await system.api.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: secret.stdout });
  controller = await system.controller();
});
afterAll(async () => {
  await controller?.stop();
  await Promise.all([sigstore?.stop(), registry?.stop()]);
  await system?.stop();
});

/** As the kubelet does it: another file in its place, in one step. */
async function newToken(): Promise<void> {
  const token = await system.api.serviceAccountToken(namespace, "tekton-chains-controller", "--audience=sigstore", "--duration=10m");
  writeFileSync(`${tokenFile}.next`, token);
  renameSync(`${tokenFile}.next`, tokenFile);
}
const patch = async (data: Readonly<Record<string, string>>): Promise<void> =>
  void (await system.api.kubectl(["patch", "configmap", "chains-config", "-n", namespace, `-p=${JSON.stringify({ data })}`]));

async function attested(name: string): Promise<{ readonly image: string; readonly marks: Readonly<Record<string, string>> }> {
  const image = await pushImage(registry, `team/${name}`, name);
  await system.put({ kind: "taskrun", name, status: built(image) });
  const marksOf = () => system.annotations("taskrun", name);
  await expect.poll(async () => (await marksOf())["chains.tekton.dev/signed"], { timeout: 30_000 }).toBe("true");
  return { image, marks: await marksOf() };
}
/** Settings that must have arrived before the next run are seen to be in force. */
async function configured(
  data: Readonly<Record<string, string>>,
  probe: (marks: Readonly<Record<string, string>>) => boolean,
): Promise<void> {
  await patch(data);
  let n = 0;
  const stem = Object.keys(data)[0]?.replaceAll(/[^a-z0-9]/g, "-") ?? "probe";
  await expect.poll(async () => probe((await attested(`${stem}-${n++}`)).marks), { timeout: 30_000, interval: 200 }).toBe(true);
}

const common = ["--allow-insecure-registry"];
async function cosignSays(image: string, words: readonly string[]): Promise<readonly [number, number]> {
  const root = `--trusted-root=${sigstore.trustedRoot.file}`;
  const env = { KUBECONFIG: system.api.kubeconfig };
  const [signature, provenance] = await Promise.all([
    cosign(["verify", ...words, root, ...common, image], env, { mayFail: true }),
    cosign(["verify-attestation", ...words, root, ...common, "--type=slsaprovenance", image], env, { mayFail: true }),
  ]);
  expect([signature.stderr, provenance.stderr].join("\n")).not.toMatch(/panic/);
  return [signature.code, provenance.code];
}
async function weSay(image: string, words: readonly string[]): Promise<readonly [number, number]> {
  const [signature, provenance] = await Promise.all(
    ["signature", "slsaprovenance"].map((type) =>
      countersign(["verify", "image", ...words, `--trusted-root=${sigstore.trustedRoot.file}`, "--offline", `--type=${type}`, image]),
    ),
  );
  return [signature?.code ?? -1, provenance?.code ?? -1];
}

test("four patches of the ConfigMap, a run, and what cosign and rekor-cli say of it", async () => {
  await patch({ "transparency.url": sigstore.rekor.url });
  await patch({ "artifacts.taskrun.format": "slsa/v1" });
  await patch({ "artifacts.taskrun.storage": "oci" });
  await patch({ "artifacts.oci.storage": "oci" });
  await configured({ "transparency.enabled": "true" }, (marks) => marks["chains.tekton.dev/transparency"] !== undefined);

  const { image, marks } = await attested("tutorial");
  const url = marks["chains.tekton.dev/transparency"] ?? "";
  expect(url).toMatch(new RegExp(`^${sigstore.rekor.url}/api/v1/log/entries\\?logIndex=\\d+$`));
  expect((await request(url)).status).toBe(200);
  const logged = Object.entries(marks).filter(([key]) => key.startsWith("chains.tekton.dev/transparency-"));
  expect(logged).toHaveLength(2);
  for (const [, address] of logged) {
    const index = new URL(address).searchParams.get("logIndex");
    const cli = ["--rekor_server", sigstore.rekor.url, "--store_tree_state=false", `--log-index=${index}`];
    expect((await tool("rekor-cli", ["verify", ...cli])).stdout).toContain("Inclusion Proof:");
  }
  expect(Object.keys(marks).filter((key) => /payload|signature/.test(key))).toEqual([]);

  expect(await cosignSays(image, [`--key=k8s://${namespace}/signing-secrets`])).toEqual([0, 0]);
  expect(await weSay(image, [`--key=${system.keys}/cosign.pub`])).toEqual([0, 0]);
  const stranger = tempFolder("stranger");
  await cosign(["generate-key-pair"], { COSIGN_PASSWORD: "pw" }, { cwd: stranger });
  const key = [`--key=${stranger}/cosign.pub`];
  expect(await weSay(image, key)).toEqual(await cosignSays(image, key));
  expect(await weSay(image, key)).not.toContain(0);
});

test("keyless: the cluster says who the controller is, Fulcio believes it, and so do all others", async () => {
  await patch({
    "signers.x509.fulcio.address": sigstore.fulcio.url,
    "signers.x509.identity.token.file": tokenFile,
    "trust.root": sigstore.trustedRoot.text,
  });
  const who = [`--certificate-identity=${account}`, `--certificate-oidc-issuer=${system.api.url}`];
  await patch({ "signers.x509.fulcio.enabled": "true" });
  const keyless = async (name: string): Promise<boolean> => {
    const { image } = await attested(name);
    return (await weSay(image, who)).every((code) => code === 0);
  };
  let n = 0;
  await expect.poll(() => keyless(`keyless-${n++}`), { timeout: 30_000, interval: 200 }).toBe(true);

  for (const [format, name] of [
    ["dsse", "in-tags"],
    ["sigstore-bundle", "in-bundles"],
    ["both", "in-both"],
  ] as const) {
    await newToken();
    await patch({ "storage.oci.encoding-format": format });
    const shapes = { dsse: [1, 0], "sigstore-bundle": [0, 1], both: [1, 1] }[format];
    let tries = 0;
    let image = "";
    await expect
      .poll(
        async () => {
          image = (await attested(`${name}-${tries++}`)).image;
          return shapeOf(image);
        },
        { timeout: 30_000, interval: 200 },
      )
      .toEqual(shapes);
    expect([format, await cosignSays(image, who)]).toEqual([format, [0, 0]]);
    expect([format, await weSay(image, who)]).toEqual([format, [0, 0]]);
    const somebody = [`--certificate-identity=${account}-not`, `--certificate-oidc-issuer=${system.api.url}`];
    const [theirs, ours] = [await cosignSays(image, somebody), await weSay(image, somebody)];
    expect([format, ours]).toEqual([format, theirs]);
    expect(theirs).not.toContain(0);
  }
  expect(await system.events()).toEqual([]);
});

/** Whether an image has attestations in a tag, and among its referrers by their tag. */
async function shapeOf(image: string): Promise<readonly [number, number]> {
  const [name = "", digest = ""] = image.split("@");
  const repository = name.slice(name.indexOf("/") + 1);
  const accept = ["manifest", "index"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`).join(", ");
  const there = async (tag: string): Promise<number> =>
    (await request(`${registry.url}/v2/${repository}/manifests/${tag}`, { headers: { accept } })).status === 200 ? 1 : 0;
  const stem = digest.replace(":", "-");
  return [await there(`${stem}.att`), await there(stem)];
}

test("no token, key or password in anything the controller printed, in the runs or in the Events", async () => {
  const runs = (await system.api.request("/apis/tekton.dev/v1/namespaces/default/taskruns")).text;
  const said = [controller.logs(), runs, JSON.stringify(await system.events())].join("\n");
  const token = readFileSync(tokenFile, "utf8");
  const [, claims = ""] = token.split(".");
  expect(claims.length).toBeGreaterThan(100);
  for (const secret of [token, claims, token.split(".")[2] ?? "", "pass word", "ENCRYPTED SIGSTORE"])
    expect(said.includes(secret)).toBe(false);
});
