import { keys } from "@countersign/config";
import { afterAll, describe, expect, test } from "vitest";
import { session } from "./session.fixture.ts";

const person = session();
afterAll(() => person[Symbol.dispose]());
const check = (stdin: string, ...options: string[]) => person.run(["check-config", "-", ...options], { stdin });
const configMap = (data: object) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "chains-config" }, data });

test("a sound ConfigMap: 0, and the settings that take effect", async () => {
  const { code, out, err } = await check(configMap({ "artifacts.taskrun.format": "slsa/v2alpha4" }));
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("standard input is accepted");
  expect(out).toMatch(/^artifacts\.taskrun\.format +slsa\/v2alpha4 +file$/m);
  expect(out).toMatch(/^artifacts\.oci\.storage +oci +default$/m);
});

test("problems: 1, all of them at once", async () => {
  const { code, out } = await check("artifacts.taskrun.format: slsa/v3\nartifacts.oci.signer: X509\nbuilder.id: 5\n");
  expect(code).toBe(1);
  expect(out.match(/^problem/gm)).toHaveLength(3);
  expect(out).toContain('did you mean "x509"?');
  expect(out).toContain("builder.id must be a string: put its value in quotes");
  expect(out).toContain("standard input would be refused");
  expect(out).not.toContain("KEY");
});

test("warnings and missing plug-ins are 0, with --strict 1", async () => {
  const map = configMap({ "transparency.enabled": "True", "artifacts.oci.storage": "oci,gcs", "artifacts.oci.signer": "kms" });
  const { code, out } = await check(map);
  expect(code).toBe(0);
  expect(out).toMatch(/^warning {2}transparency\.enabled/m);
  expect(out).toMatch(/^missing {2}storage gcs/m);
  expect(out).toMatch(/^missing {2}signer kms/m);
  expect(out).toMatch(/^transparency\.enabled +default$/m);
  expect((await check(map, "--strict")).code).toBe(1);
  expect((await check(configMap({}), "--strict")).code).toBe(0);
});

test.each(["https://registry.example/a", "registry.example/a:tag", "registry.example/A"])(
  "storage.oci.repository %s is of no use",
  async (repository) => {
    expect((await check(configMap({ "storage.oci.repository": repository }))).out).toMatch(
      /^warning {2}storage\.oci\.repository is no repository/m,
    );
    expect((await check(configMap({ "storage.oci.repository": "registry.example/team" }))).out).not.toContain("warning");
  },
);

describe("what the documentation marks as missing is missing, and nothing else", () => {
  const choices = Object.values(keys).flatMap(({ configKey, allowed, notYet = [] }) =>
    (allowed ?? notYet).map((value) => [configKey, value, notYet.includes(value)] as const),
  );
  test.each(choices)("%s: %s", async (key, value, missing) => {
    const { unsupported } = JSON.parse((await check(configMap({ [key]: value }), "-o", "json")).out);
    expect(unsupported.length > 0).toBe(missing);
  });
});

test("JSON has a stable shape", async () => {
  const sound = JSON.parse((await check(configMap({ "artifacts.oci.storage": "gcs" }), "-o", "json")).out);
  expect(Object.keys(sound)).toEqual(["valid", "problems", "warnings", "unsupported", "settings"]);
  expect(sound).toMatchObject({ valid: true, unsupported: ["storage gcs"] });
  expect(sound.settings).toContainEqual({ key: "artifacts.oci.storage", value: "gcs", from: "file" });
  const broken = await check("artifacts.oci.storage: x", "-o", "json");
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.out)).toMatchObject({ valid: false, problems: [{ key: "artifacts.oci.storage" }], settings: [] });
});

test("an empty file and a ConfigMap without data mean the defaults", async () => {
  expect((await check("")).code).toBe(0);
  expect((await check("kind: ConfigMap\n")).code).toBe(0);
});

describe("what is no configuration: 3", () => {
  test.each([
    ["a: [", "no valid YAML or JSON"],
    ["- a", "holds no map"],
    ["just text", "holds no map"],
    ["kind: Secret\ndata: {}", 'holds a "Secret"'],
    ["kind: ConfigMap\nbinaryData: {a: YQ==}", "binaryData"],
    ["a: 1\na: 2", "no valid YAML or JSON (line 2)"],
  ])("%j", async (stdin, sentence) => {
    const { code, out, err } = await check(stdin);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain(sentence);
  });
});

test("neither a token nor a broken line is repeated", async () => {
  const secret = "s.canary-8d1f";
  const answers = [
    await check(configMap({ "signers.kms.auth.token": secret })),
    await check(configMap({ "signers.kms.auth.token": secret }), "-o", "json"),
    await check(`signers.kms.auth.token: ${secret}: x\n`),
    await check(`a: b\nsigners.kms.auth.token: "${secret}\n`, "-o", "json"),
  ];
  for (const { out, err } of answers) expect(out + err).not.toContain("canary");
  expect(answers[0]?.out).toContain("(not shown)");
});

test("escape sequences of a value do not reach the terminal", async () => {
  const { out } = await check(configMap({ "builder.id": "\u001b[31mred\u001b]0;title\u0007" }));
  expect(out).not.toContain("\u001b");
  expect((await person.run(["check-config", "-"], { stdin: "x: y", color: true })).out).toContain("\u001b[33m");
});

test("of several objects in one file, chains-config is the one that is read", async () => {
  const { configMapFrom } = await import("./config-map.ts");
  const stream =
    "kind: Secret\n---\nkind: ConfigMap\nmetadata: {name: chains-config}\ndata: {builder.id: x}\n---\nkind: ConfigMap\nmetadata: {name: other}\n";
  expect(configMapFrom(stream, "f")).toEqual({ "builder.id": "x" });
  expect(() => configMapFrom("kind: Secret\n---\nkind: ConfigMap\n", "f")).toThrow(
    /f holds 2 objects and none is the ConfigMap chains-config/,
  );
});
