import { canary, misbehave, type Registry, registry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { testCluster } from "./cluster.fixture.ts";
import { session, taskRunYaml } from "./session.fixture.ts";

const person = session();
const digest = `sha256:${"a3".repeat(32)}`;
let real: Registry;
const mine = () => ["--key", person.path("mine/cosign.pub")];
const theirs = () => ["--key", person.path("theirs/cosign.pub")];

beforeAll(async () => {
  real = await registry();
  for (const name of ["mine", "theirs"]) await person.run(["keys", "generate", person.path(name), "--random-password"]);
  person.write("run.yaml", taskRunYaml(`${real.host}/app`));
  const settings = [
    "-c",
    "artifacts.taskrun.storage=tekton,oci",
    "-c",
    "artifacts.oci.storage=tekton,oci",
    "-c",
    "artifacts.taskrun.format=slsa/v2alpha4",
  ];
  const { code, err } = await person.run([
    "attest",
    person.path("run.yaml"),
    "--signing-secrets",
    person.path("mine"),
    ...settings,
    "--write",
  ]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
}, 20_000);
afterAll(async () => {
  await real.close();
  person[Symbol.dispose]();
});

describe("verify image", () => {
  const image = (...args: string[]) => person.run(["verify", "image", `${real.host}/app@${digest}`, ...args]);

  test("lists what is attached, with builder and subject", async () => {
    const { code, out, err } = await image(...mine());
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^accepted {2}image signature/m);
    expect(out).toMatch(/^accepted {2}https:\/\/slsa\.dev\/provenance\/v1/m);
    expect(out).toContain("builder  https://tekton.dev/chains/v2");
    expect(out).toMatch(/^verified /m);
  });

  test("another key: 12, with the reason for each", async () => {
    const { code, out } = await image(...theirs());
    expect(code).toBe(12);
    expect(out.match(/signature: the trusted key did not make this signature/g)).toHaveLength(2);
    expect(out).toMatch(/^not verified /m);
  });

  test.each([
    [["--type", "slsaprovenance1"], 0],
    [["--type", "https://slsa.dev/provenance/v1", "--builder", "https://tekton.dev/chains/v2"], 0],
    [["--type", "signature"], 0],
    [["--type", "slsaprovenance"], 1],
    [["--builder", "https://elsewhere.example"], 12],
    [["--builder", "https://tekton.dev/chains/v2", "https://elsewhere.example"], 0],
  ])("%j: %i", async (options, code) => {
    expect((await image(...mine(), ...options)).code).toBe(code);
  });

  test("JSON has a stable shape", async () => {
    const value = JSON.parse((await image(...mine(), "--type", "slsaprovenance1", "-o", "json")).out);
    expect(value).toEqual({
      subject: `${real.host}/app@${digest}`,
      accepted: true,
      checked: [
        {
          at: `${real.host}/app:${digest.replace(":", "-")}.att`,
          what: "https://slsa.dev/provenance/v1",
          accepted: true,
          reasons: [],
          subjects: [`${real.host}/app@${digest}`],
          builder: "https://tekton.dev/chains/v2",
        },
      ],
    });
    const refused = JSON.parse((await image(...theirs(), "-o", "json")).out);
    expect(refused).toMatchObject({ accepted: false, checked: [{ reasons: [{ check: "signature" }] }, {}] });
  });

  test("a tag is looked up, and the answer names the digest", async () => {
    const tagged = `${real.host}/tagged:1.0`;
    const found = real.seedImage("tagged", "1.0");
    const verify = () => person.run(["verify", "image", tagged, ...mine()]);
    expect(await verify()).toMatchObject({
      code: 10,
      out: `not verified  ${tagged}: nothing is attached to it, neither by tag nor as a referrer\n`,
    });
    const file = person.write("tagged.yaml", taskRunYaml(`${real.host}/tagged`, found));
    await person.run(["attest", file, "--signing-secrets", person.path("mine")]);
    const { code, out } = await verify();
    expect(code).toBe(0);
    expect(out).toContain(`the tag ${tagged} stands for the digest below; deploy that, a tag can move\nverified  ${tagged}@${found}\n`);
    const json = JSON.parse((await person.run(["verify", "image", tagged, ...mine(), "-o", "json"])).out);
    expect(json).toMatchObject({ subject: `${tagged}@${found}`, resolvedFrom: tagged });
  });

  test("what is no image could not be found out: 3; no such tag: 11", async () => {
    expect(await person.run(["verify", "image", "UPPER::", ...mine()])).toMatchObject({
      code: 3,
      err: expect.stringContaining("names no image"),
    });
    expect(await person.run(["verify", "image", `${real.host}/app:none`, ...mine()])).toMatchObject({
      code: 11,
      out: expect.stringContaining("the registry has no such tag"),
    });
  });

  test("what was signed for another image is refused at this one's tags", async () => {
    const other = `sha256:${"b4".repeat(32)}`;
    for (const kind of ["att", "sig"]) {
      const stolen = real.manifest("app", `${digest.replace(":", "-")}.${kind}`);
      const url = `${real.url}/v2/app/manifests/${other.replace(":", "-")}.${kind}`;
      const { status } = await fetch(url, {
        method: "PUT",
        body: Buffer.from(stolen?.bytes ?? []),
        headers: { "content-type": stolen?.mediaType ?? "" },
      });
      expect(status).toBe(201);
    }
    const { code, out } = await person.run(["verify", "image", `${real.host}/app@${other}`, ...mine()]);
    expect(code).toBe(12);
    expect(out.match(new RegExp(`subject: no subject has the digest ${other}`, "g"))).toHaveLength(2);
  });

  test("a registry that refuses, or talks nonsense: 3, and its words are not repeated", async () => {
    const odd = await misbehave(real.url);
    for (const fault of [{ kind: "status", status: 403 }, { kind: "garbage" }] as const) {
      odd.fault = () => fault;
      const { code, out, err } = await person.run(["verify", "image", `${odd.host}/app@${digest}`, ...mine(), "-o", "json"]);
      expect(code).toBe(3);
      expect(out + err).not.toContain(canary);
    }
    await odd.close();
  });

  test("signatures kept elsewhere are found there", async () => {
    const args = ["verify", "image", `${real.host}/other@${digest}`, ...mine()];
    expect((await person.run(args)).code).toBe(10);
    expect((await person.run([...args, "--repository", `${real.host}/app`])).code).toBe(0);
    expect((await person.run(args, { env: { DOCKER_CONFIG: person.folder, COSIGN_REPOSITORY: `${real.host}/app` } })).code).toBe(0);
  });
});

describe("verify run", () => {
  const verify = (...args: string[]) => person.run(["verify", "run", person.path("run.yaml"), ...args]);

  test("every signed payload is checked", async () => {
    const { code, out } = await verify(...mine());
    expect(code).toBe(0);
    expect(out.match(/^accepted/gm)).toHaveLength(2);
    expect(out).toMatch(/^verified {2}TaskRun ci\/build$/m);
    expect((await verify(...theirs())).code).toBe(1);
  });

  test.each([
    ["slsaprovenance1", 0],
    ["signature", 0],
    ["slsaprovenance", 1],
  ])("--type %s: %i", async (type, code) => {
    expect((await verify(...mine(), "--type", type)).code).toBe(code);
  });

  const changed = async (change: (annotations: Record<string, string>, run: { metadata: { uid: string } }) => void) => {
    const run = parse(person.read("run.yaml"));
    change(run.metadata.annotations, run);
    return person.run(["verify", "run", person.write("changed.json", JSON.stringify(run)), ...mine()]);
  };
  const key = (what: string) => `chains.tekton.dev/${what}-taskrun-8e1c1b2e-0000-4000-8000-000000000001`;

  test("a changed payload, a lost signature, a strange one", async () => {
    const edited = await changed((annotations) => {
      const payload = Buffer.from(annotations[key("payload")] ?? "", "base64")
        .toString()
        .replace("chains/v2", "chains/v3");
      annotations[key("payload")] = Buffer.from(payload).toString("base64");
    });
    expect(edited).toMatchObject({ code: 1, out: expect.stringContaining("no envelope of this payload") });
    const lost = await changed((annotations) => delete annotations[key("signature")]);
    expect(lost.code).toBe(1);
    const strange = await changed((annotations) => {
      annotations["chains.tekton.dev/payload-x"] = Buffer.from("{}").toString("base64");
    });
    expect(strange.code).toBe(1);
  });

  test("the attestation of another run is refused, under its own name and under this one's", async () => {
    const carried = await changed((_, run) => {
      run.metadata.uid = "another";
    });
    expect(carried).toMatchObject({ code: 1, out: expect.stringContaining("belongs to another run") });
    const renamed = await changed((annotations, run) => {
      run.metadata.uid = "another";
      for (const [name, value] of Object.entries(annotations)) annotations[name.replace(/taskrun-.*/, "taskrun-another")] = value;
      for (const name of Object.keys(annotations)) if (name.includes("8e1c1b2e")) delete annotations[name];
    });
    expect(renamed).toMatchObject({ code: 1, out: expect.stringContaining("subject: the statement is about run 8e1c1b2e") });
  });

  test("a run without attestations, and a file without a run", async () => {
    expect(await person.run(["verify", "run", person.write("bare.yaml", taskRunYaml()), ...mine()])).toMatchObject({
      code: 1,
      out: expect.stringContaining("no signed payload"),
    });
    expect((await person.run(["verify", "run", person.path("none.yaml"), ...mine()])).code).toBe(3);
  });

  test("in the cluster, with the key out of its Secret", async () => {
    await using cluster = await testCluster(person.folder);
    const run = parse(person.read("run.yaml"));
    cluster.objects.set("/apis/tekton.dev/v1/namespaces/ci/taskruns/build", run);
    const pem = Buffer.from(person.read("mine/cosign.pub")).toString("base64");
    cluster.objects.set("/api/v1/namespaces/tekton-chains/secrets/signing-secrets", { data: { "cosign.pub": pem } });
    cluster.objects.set("/api/v1/namespaces/tekton-chains/secrets/empty", { data: {} });
    const inCluster = ["--kubeconfig", cluster.kubeconfig];
    const secret = (name: string) => ["--key", `k8s://tekton-chains/${name}`];
    expect(await person.run(["verify", "run", "taskrun/build", ...secret("signing-secrets"), ...inCluster])).toMatchObject({
      code: 0,
      err: "",
    });
    expect(await person.run(["verify", "run", "taskrun/build", "-n", "other", ...mine(), ...inCluster])).toMatchObject({
      code: 3,
      err: expect.stringContaining("there is no TaskRun other/build"),
    });
    expect((await person.run(["verify", "run", "taskrun/build", ...secret("empty"), ...inCluster])).err).toContain("holds no cosign.pub");
    expect((await person.run(["verify", "run", "taskrun/build", ...secret("none"), ...inCluster])).err).toContain("no such Secret");
  });
});

describe("--key", () => {
  test.each([
    ["mine/cosign.key", "private key"],
    ["run.yaml", "no public key"],
    ["none", "there is no such file"],
  ])("%s is refused: %s", async (name, sentence) => {
    const { code, out, err } = await person.run(["verify", "run", person.path("run.yaml"), "--key", person.path(name)]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain(sentence);
  });

  test("two keys in one file are both trusted, as a rotation wants it", async () => {
    const both = person.write("both.pub", person.read("theirs/cosign.pub") + person.read("mine/cosign.pub"));
    expect((await person.run(["verify", "run", person.path("run.yaml"), "--key", both])).code).toBe(0);
  });
});
