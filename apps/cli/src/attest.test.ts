import { generateKeyPairSync } from "node:crypto";
import { mkdirSync } from "node:fs";
import { sealCosignKey } from "@countersign/signers-x509";
import { canary, misbehave, type Registry, registry } from "@countersign/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { session, taskRunYaml } from "./session.fixture.ts";

const person = session();
const uid = "8e1c1b2e-0000-4000-8000-000000000001";
const pem = (namedCurve: string) =>
  generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
beforeAll(() => {
  mkdirSync(person.path("keys"));
  person.write("keys/x509.pem", pem("P-256")); // no scrypt, so no waiting
});
afterAll(() => person[Symbol.dispose]());
const keys = () => ["--signing-secrets", person.path("keys")];
const onlyTekton = ["-c", "artifacts.oci.storage=tekton"];
const attest = (...args: string[]) => person.run(["attest", ...args, ...keys()]);

test("prints the annotations that the run is to carry", async () => {
  const { code, out, err } = await attest(person.write("run.yaml", taskRunYaml()), ...onlyTekton);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain(`TaskRun/ci/build#taskrun-${uid}`);
  expect(out).toMatch(new RegExp(`^    chains\\.tekton\\.dev/payload-taskrun-${uid}: "[A-Za-z0-9+/=]+"$`, "m"));
});

test("--write puts them into the file, and what stands there already is kept on a second try", async () => {
  const file = person.write("written.yaml", taskRunYaml());
  const first = await attest(file, ...onlyTekton, "--write");
  expect(first).toMatchObject({ code: 0, out: expect.stringContaining(`8 annotations written to ${file}`) });
  const text = person.read("written.yaml");
  expect(text).toMatch(/^# a comment that stays/);
  await attest(file, ...onlyTekton, "--write");
  expect(person.read("written.yaml")).toBe(text);
});

test("standard input is read, and never written", async () => {
  const stdin = JSON.stringify({
    apiVersion: "tekton.dev/v1",
    kind: "TaskRun",
    metadata: { name: "j", namespace: "n", uid: "u" },
    status: { conditions: [{ type: "Succeeded", status: "False" }] },
  });
  const answer = await person.run(["attest", "-", ...keys(), "-o", "json"], { stdin });
  expect(answer.code).toBe(0);
  expect(JSON.parse(answer.out)).toEqual({
    runs: [
      {
        run: { kind: "TaskRun", namespace: "n", name: "j", uid: "u" },
        routes: [
          { route: "taskrun/in-toto", artifact: "tekton.dev-v1-TaskRun-u", stored: [{ uris: ["TaskRun/n/j#taskrun-u"] }], failures: [] },
        ],
        annotations: expect.objectContaining({ "chains.tekton.dev/payload-taskrun-u": expect.any(String) }),
      },
    ],
    written: [],
    warnings: [],
  });
  expect(await person.run(["attest", "-", ...keys(), "--write"], { stdin })).toMatchObject({
    code: 3,
    err: expect.stringContaining("standard input"),
  });
});

test("a PipelineRun with its TaskRuns", async () => {
  const child = taskRunYaml().replace("name: build\n", "name: release-build\n  labels: { tekton.dev/pipelineTask: build }\n");
  const status = {
    childReferences: [{ kind: "TaskRun", name: "release-build", pipelineTaskName: "build" }],
    pipelineSpec: { tasks: [{ name: "build" }] },
  };
  const finished = {
    conditions: [{ type: "Succeeded", status: "True" }],
    startTime: "2026-01-01T00:00:00Z",
    completionTime: "2026-01-01T00:02:00Z",
  };
  const metadata = { name: "release", namespace: "ci", uid: "p-1" };
  person.write(
    "release.json",
    JSON.stringify({ apiVersion: "tekton.dev/v1", kind: "PipelineRun", metadata, status: { ...status, ...finished } }),
  );
  const deep = ["-c", "artifacts.pipelinerun.format=slsa/v2alpha4", "-c", "artifacts.pipelinerun.enable-deep-inspection=true"];
  const { code, out, err } = await attest(
    person.path("release.json"),
    "--children",
    person.write("child.yaml", child),
    ...deep,
    "-o",
    "json",
  );
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const { routes, annotations } = JSON.parse(out).runs[0];
  expect(routes.map(({ route }: { route: string }) => route)).toEqual(["pipelinerun/slsa/v2alpha4"]);
  const payload = JSON.parse(Buffer.from(annotations["chains.tekton.dev/payload-pipelinerun-p-1"], "base64").toString());
  expect(payload.subject).toEqual([{ name: "registry.example/app", digest: { sha256: "a3".repeat(32) } }]);
});

describe("a registry", () => {
  let real: Registry;
  beforeAll(async () => {
    real = await registry();
  });
  afterAll(() => real.close());

  test("gets one layer, however often", async () => {
    const file = person.write("oci.yaml", taskRunYaml(`${real.host}/app`));
    for (let time = 0; time < 2; time++)
      expect(await attest(file, "-c", "artifacts.taskrun.storage=oci")).toMatchObject({ code: 0, err: "" });
    expect(real.tags("app")).toEqual([".att", ".sig"].map((kind) => expect.stringContaining(kind)));
    const layers = real.tags("app").map((tag) => JSON.parse(Buffer.from(real.manifest("app", tag)?.bytes ?? []).toString()).layers.length);
    expect(layers).toEqual([1, 1]);
  });

  test("that refuses is named once, and what can be stored elsewhere is: 3, with no word of its answer or of the login", async () => {
    const refusing = await misbehave(real.url);
    refusing.fault = () => ({ kind: "status", status: 403 });
    const auth = Buffer.from("canary-user:canary-secret").toString("base64");
    person.write("config.json", JSON.stringify({ auths: { [refusing.host]: { auth } } }));
    const file = person.write("refused.yaml", taskRunYaml(`${refusing.host}/app`));
    for (const form of [[], ["-o", "json"]]) {
      const { code, out, err } = await attest(file, ...form);
      expect(code).toBe(3);
      expect(err.match(/^failed {2}image\/simplesigning: /gm)).toHaveLength(1);
      expect(out).toContain(`TaskRun/ci/build#taskrun-${uid}`);
      for (const secret of [canary, "canary-user", "canary-secret", auth]) expect(out + err).not.toContain(secret);
    }
    await refusing.close();
  });
});

describe("what is missing is said", () => {
  const failed = async (...args: string[]) => {
    const { code, err } = await person.run(["attest", ...args]);
    expect(code).toBe(3);
    return err;
  };

  test("a key", async () => {
    const err = await failed(person.write("run.yaml", taskRunYaml()), "--signing-secrets", person.path("nowhere"), ...onlyTekton);
    expect(err).toMatch(/^failed {2}taskrun\/in-toto, image\/simplesigning: there is no signing key in .*nowhere/);
    expect(err.split("\n")).toHaveLength(2);
  });

  test("the right password", async () => {
    const sealed = ["--signing-secrets", person.path("sealed")];
    await person.run(["keys", "generate", person.path("sealed")], { env: { COSIGN_PASSWORD: "canary-password" } });
    expect((await person.run(["attest", person.path("run.yaml"), ...sealed, ...onlyTekton])).code).toBe(0);
    person.write("sealed/cosign.password", "canary-password\n");
    const err = await failed(person.path("run.yaml"), ...sealed, ...onlyTekton);
    expect(err).toContain("printf %s");
    expect(err).not.toContain("canary");
  });

  test("a run that is finished", async () => {
    const unfinished = taskRunYaml().replace('status: "True"', "status: Unknown");
    expect(await failed(person.write("unfinished.yaml", unfinished), ...keys())).toContain("TaskRun ci/build is not finished");
  });

  test("a sound configuration", async () => {
    const err = await failed(person.path("run.yaml"), ...keys(), "-c", "artifacts.taskrun.format=x", "-c", "artifacts.oci.signer=X509");
    expect(err.split("\n").filter(Boolean)).toHaveLength(2);
    const yaml = person.write("config.yaml", 'signers.kms.auth.token: "canary-token\n');
    expect(await failed(person.path("run.yaml"), ...keys(), "--config", yaml)).not.toContain("canary");
  });

  test("a plug-in", async () => {
    const err = await failed(person.path("run.yaml"), ...keys(), ...onlyTekton, "-c", "artifacts.taskrun.storage=tekton,gcs");
    expect(err).toMatch(/^warning {2}storage gcs is not supported/m);
    expect(err).toMatch(/^failed {2}taskrun\/in-toto: .*gcs/m);
  });
});

describe("a P-384 key", () => {
  const warned = async () =>
    (await person.run(["attest", person.path("run.yaml"), ...onlyTekton, "--signing-secrets", person.path("p384")])).err;

  test("in cosign.key signs as few verifiers expect, which is said; in x509.pem it does not", async () => {
    mkdirSync(person.path("p384"));
    const key = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    person.write("p384/cosign.key", await sealCosignKey(key.export({ type: "pkcs8", format: "der" }), Buffer.from("")));
    person.write("p384/cosign.password", "");
    expect(await warned()).toMatch(/^warning {2}cosign\.key signs with ecdsa-sha384/);
    person.write("p384/x509.pem", pem("P-384"));
    expect(await warned()).toBe("");
  });
});
