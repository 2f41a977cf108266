import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countersign, type Said } from "./harness/countersign.ts";
import {
  cosign,
  type Registry,
  type Sigstore,
  signingConfigOf,
  startDockerRegistry,
  startOciRegistry,
  startSigstore,
  tempFolder,
} from "./harness/index.ts";
import "./harness/on-failure.ts";
import { pushImage } from "./harness/system.ts";

/**
 * What cosign itself signs with Sigstore's own servers, we verify: keyless and with a key, in tags and in bundles, seen by either generation
 * of the log, offline and by asking the log. And where nothing is signed, or not so, `verify image` ends with the code of cosign.
 */
const folder = tempFolder("verify-cosign");
const env = { COSIGN_PASSWORD: "pw" };
const person = "ann@example.test";

let sigstore: Sigstore;
let registries: readonly Registry[];
let signingConfig: Readonly<Record<"v1" | "v2", string>>;
const predicate = `${folder}/predicate.json`;

beforeAll(async () => {
  const [made, docker, cue] = await Promise.all([startSigstore(), startDockerRegistry(), startOciRegistry()]);
  sigstore = made;
  registries = [docker, cue];
  const { fulcio, rekor, tiles, timestamps } = sigstore;
  signingConfig = {
    v1: await signingConfigOf({ fulcio, rekor }),
    v2: await signingConfigOf({ fulcio, tiles, timestamps }),
  };
  writeFileSync(predicate, JSON.stringify({ buildDefinition: {}, runDetails: { builder: { id: "https://cosign.example" } } }));
  for (const name of ["mine", "theirs"]) await cosign(["generate-key-pair", `--output-key-prefix=${folder}/${name}`], env);
});
afterAll(async () => {
  await sigstore?.stop();
  await Promise.all((registries ?? []).map((registry) => registry.stop()));
});

const token = (): string => sigstore.issuer.token({ sub: "ann", email: person, email_verified: true });
const whom = (): readonly string[] => [`--certificate-identity=${person}`, `--certificate-oidc-issuer=${sigstore.issuer.url}`];
const root = (): string => `--trusted-root=${sigstore.trustedRoot.file}`;
const verify = (image: string, ...words: readonly string[]): Promise<Said> => countersign(["verify", "image", image, ...words]);

type How = "tags" | "tags with timestamps" | "bundles, Rekor v1" | "bundles, Rekor v2";

/** cosign's words for signing in this layout, and its variables. */
function signing(how: How): readonly [args: readonly string[], env: Readonly<Record<string, string>>] {
  if (how.startsWith("bundles")) return [[`--signing-config=${signingConfig[how === "bundles, Rekor v1" ? "v1" : "v2"]}`, root()], {}];
  const { fulcio, rekor } = sigstore;
  const old = ["--new-bundle-format=false", "--use-signing-config=false", `--fulcio-url=${fulcio.url}`, `--rekor-url=${rekor.url}`];
  const stamp = how === "tags" ? [] : [`--timestamp-server-url=${sigstore.timestamps.url}`];
  return [[...old, ...stamp], variables()];
}

const variables = (): Readonly<Record<string, string>> => ({
  SIGSTORE_ROOT_FILE: sigstore.fulcio.chainFile,
  SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: sigstore.fulcio.ctLog.publicKeyFile,
  SIGSTORE_REKOR_PUBLIC_KEY: sigstore.rekor.publicKeyFile,
});

/** Image signature and attestation, by cosign. */
async function signedByCosign(registry: Registry, how: How, who: readonly string[]): Promise<string> {
  const image = await pushImage(registry, `team/${Math.random().toString(36).slice(2)}`, how);
  const [args, own] = signing(how);
  const common = ["--yes", "--allow-insecure-registry", ...args, ...who];
  await cosign(["sign", ...common, image], { ...env, ...own });
  await cosign(["attest", ...common, "--type=slsaprovenance1", `--predicate=${predicate}`, image], { ...env, ...own });
  return image;
}

describe.each(["tags", "tags with timestamps", "bundles, Rekor v1", "bundles, Rekor v2"] as const)("what cosign signs (%s)", (how) => {
  test.each([0, 1])("keyless: registry %i", async (which) => {
    const registry = registries[which] ?? expect.fail("no registry");
    const image = await signedByCosign(registry, how, [`--identity-token=${token()}`]);
    const isStamped = how === "bundles, Rekor v2" || how === "tags with timestamps";
    for (const type of ["signature", "slsaprovenance1"]) {
      const said = await verify(image, ...whom(), root(), "--offline", `--type=${type}`, "-o", "json");
      expect(said, said.stdout + said.stderr).toMatchObject({ code: 0, stderr: "" });
      const [one] = JSON.parse(said.stdout).checked;
      expect(one).toMatchObject({ certificate: { identities: [person], issuer: sigstore.issuer.url }, log: [{}] });
      expect(one.timestamps?.length).toBe(isStamped ? 1 : undefined);
      if (isStamped) expect((await verify(image, ...whom(), root(), "--offline", "--insecure-ignore-tlog", `--type=${type}`)).code).toBe(0);
    }
    const nobody = await verify(
      image,
      "--certificate-identity=bob@example.test",
      "--certificate-oidc-issuer-regexp=.",
      root(),
      "--offline",
    );
    expect(nobody.code).not.toBe(0);
    // the same parts one by one, as cosign's variables name them
    if (how !== "bundles, Rekor v2")
      expect(await countersign(["verify", "image", image, ...whom(), "--offline"], variables())).toMatchObject({ code: 0 });
    const { stdout } = await countersign(["inspect", image]);
    expect(stdout.match(new RegExp(`signer {2}${person}, as ${sigstore.issuer.url} says`, "g"))).toHaveLength(2);
  });

  test("with a key", async () => {
    const [registry = expect.fail("no registry")] = registries;
    const image = await signedByCosign(registry, how, [`--key=${folder}/mine.key`]);
    for (const type of ["signature", "slsaprovenance1", "https://slsa.dev/provenance/v1"]) {
      const said = await verify(image, `--key=${folder}/mine.pub`, root(), "--offline", `--type=${type}`);
      expect(said, said.stdout + said.stderr).toMatchObject({ code: 0, stderr: "" });
      expect((await verify(image, `--key=${folder}/mine.pub`, `--type=${type}`)).code).toBe(0);
      expect((await verify(image, `--key=${folder}/theirs.pub`, `--type=${type}`)).code).not.toBe(0);
    }
  });
});

test("where a tag brings no log entry along, the real log is asked, as cosign asks it", async () => {
  const [registry = expect.fail("no registry")] = registries;
  const image = await signedByCosign(registry, "tags", [`--key=${folder}/mine.key`]);
  const [repository = "", digest = ""] = image.slice(registry.host.length + 1).split("@");
  for (const suffix of ["sig", "att"]) {
    const url = `${registry.url}/v2/${repository}/manifests/${digest.replace(":", "-")}.${suffix}`;
    const accept = "application/vnd.oci.image.manifest.v1+json";
    const manifest = (await (await fetch(url, { headers: { accept } })).json()) as { layers: { annotations: Record<string, string> }[] };
    for (const layer of manifest.layers) delete layer.annotations["dev.sigstore.cosign/bundle"];
    const put = await fetch(url, { method: "PUT", body: JSON.stringify(manifest), headers: { "content-type": accept } });
    expect(put.status).toBe(201);
  }
  const key = [`--key=${folder}/mine.pub`, root()];
  for (const type of ["signature", "slsaprovenance1"]) {
    expect((await verify(image, ...key, "--offline", `--type=${type}`)).code).not.toBe(0);
    const said = await verify(image, ...key, `--rekor-url=${sigstore.rekor.url}`, `--type=${type}`);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(said.stdout).toMatch(/log {2}entry \d+/);
  }
  const theirs = await cosign(["verify", ...key, `--rekor-url=${sigstore.rekor.url}`, "--allow-insecure-registry", image], env);
  expect(theirs.code).toBe(0);
});

describe("exit codes are those of `cosign verify`", () => {
  const both = async (image: string, ...words: readonly string[]): Promise<readonly [number, number]> => {
    const { code } = await cosign(["verify", ...words, "--allow-insecure-registry", image], env, { mayFail: true });
    return [code, (await verify(image, ...words.map((word) => word.replace("=true", "")), "--type=signature")).code];
  };
  const key = (name: string): readonly string[] => [`--key=${folder}/${name}.pub`, "--insecure-ignore-tlog=true"];

  test("nothing signed, no such tag, another key", async () => {
    for (const registry of registries) {
      const image = await pushImage(registry, "team/bare", "bare");
      expect(await both(image, ...key("mine"))).toEqual([10, 10]);
      expect(await both(`${registry.host}/team/bare:none`, ...key("mine"))).toEqual([11, 11]);
      const old = ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false", "--allow-insecure-registry", "--yes"];
      await cosign(["sign", `--key=${folder}/mine.key`, ...old, image], env);
      expect(await both(image, ...key("mine"))).toEqual([0, 0]);
      expect(await both(image, ...key("theirs"))).toEqual([12, 12]);
      // cosign 3 has a code for this, 13, and answers 12
      const nobody = await both(image, ...whom(), root(), "--insecure-ignore-tlog=true");
      expect(nobody).toEqual([12, 13]);
    }
  });
});
