import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { credentialsFrom, parseDockerConfig } from "./docker-config.ts";

const signal = new AbortController().signal;
const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString("base64") });
const found = async (auths: Record<string, unknown>, registry: string, repository = "team/app"): Promise<readonly string[]> => {
  const config = parseDockerConfig(JSON.stringify({ auths }), "s");
  const credentials = await credentialsFrom(config, { registry, repository }, { signal, env: {} });
  return credentials.map((one) => (one.kind === "basic" ? one.username : one.kind));
};

test.each([
  ["registry.example", "registry.example", true],
  ["https://registry.example", "registry.example", true],
  ["https://registry.example/v2/", "registry.example", true],
  ["https://registry.example/v1/", "registry.example", true],
  ["registry.example:5000", "registry.example", false],
  ["registry.example:5000", "registry.example:5000", true],
  ["registry.example", "registry.example:5000", false],
  ["registry.example/team", "registry.example", true],
  ["registry.example/team/app", "registry.example", true],
  ["registry.example/tea", "registry.example", false],
  ["registry.example/team/app/x", "registry.example", false],
  ["registry.example/other", "registry.example", false],
  ["*.example", "registry.example", true],
  ["*.example", "a.registry.example", false],
  ["reg*.exampl?", "registry.example", true],
  ["r.gistry.example", "registry.example", false],
  ["*.*", "registry.example", true],
  ["*g*s*y*.example", "registry.example", true],
  ["*g*x*y.example", "registry.example", false],
  ["registry?.example", "registry.example", false],
  ["registry.example*", "registry.example", true],
  [`${"*a".repeat(200)}*b.example`, `${"a".repeat(200)}.example`, false],
  ["REGISTRY.example", "registry.example", true],
  ["https://index.docker.io/v1/", "index.docker.io", true],
  ["docker.io", "index.docker.io", true],
  ["[::1]:5000", "[::1]:5000", true],
  ["evil.registry.example", "registry.example", false],
  ["registry.example.evil", "registry.example", false],
  ["registry", "registry.example", false],
])("the entry %s is for %s/team/app: %s", async (key, registry, fits) => {
  expect(await found({ [key]: auth("u:p") }, registry)).toEqual(fits ? ["u"] : []);
});

test("the closest entry first: longer paths, then names before globs", async () => {
  const auths = {
    "*.example": auth("glob:p"),
    "registry.example": auth("host:p"),
    "registry.example/team/app": auth("app:p"),
    "registry.example/team": auth("team:p"),
  };
  expect(await found(auths, "registry.example")).toEqual(["app", "team", "host", "glob"]);
});

describe("entries", () => {
  const first = async (entry: unknown): Promise<unknown> => {
    const config = parseDockerConfig(JSON.stringify({ auths: { "r.example": entry } }), "s");
    return (await credentialsFrom(config, { registry: "r.example", repository: "a" }, { signal, env: {} }))[0];
  };
  test.each([
    [auth("user:pass:with:colons"), { kind: "basic", username: "user", password: "pass:with:colons", source: "s" }],
    [auth("user:pass\0\0"), { kind: "basic", username: "user", password: "pass", source: "s" }],
    [
      { username: "u", password: "p" },
      { kind: "basic", username: "u", password: "p", source: "s" },
    ],
    [
      { ...auth("u:p"), identitytoken: "t" },
      { kind: "identity-token", token: "t", source: "s" },
    ],
    [{ registrytoken: "t" }, { kind: "registry-token", token: "t", source: "s" }],
    [{}, undefined],
    ["text", undefined],
    [{ auth: 7 }, undefined],
  ])("%j", async (entry, expected) => {
    expect(await first(entry)).toEqual(expected);
  });

  test("the older form of a Secret is the auths alone", async () => {
    const config = parseDockerConfig(JSON.stringify({ "r.example": auth("u:p") }), "s");
    expect(await credentialsFrom(config, { registry: "r.example", repository: "a" }, { signal, env: {} })).toHaveLength(1);
  });

  test.each(["", "[]", '"hunter2"', '{"auths": hunter2'])("%j is refused without being quoted", (text) => {
    expect(() => parseDockerConfig(text, "Secret ci/push")).toThrow(/^Secret ci\/push is no docker config/);
  });
});

describe("credential helpers", () => {
  const folder = mkdtempSync(join(tmpdir(), "helpers-"));
  const helper = (name: string, script: string): void => {
    writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, `docker-credential-${name}`), 0o755);
  };
  const ask = async (config: object, registry = "r.example", helperMs = 5000): Promise<unknown> =>
    credentialsFrom(
      parseDockerConfig(JSON.stringify(config), "the config"),
      { registry, repository: "a" },
      { signal, env: { PATH: `${folder}:/usr/bin:/bin` }, helperMs },
    );

  test("are asked for the server's name, before the entries", async () => {
    helper("echo", `read server; echo "{\\"Username\\":\\"$server\\",\\"Secret\\":\\"p\\"}"`);
    const config = { credHelpers: { "r.example": "echo" }, auths: { "r.example": auth("u:p") } };
    expect(await ask(config)).toMatchObject([{ username: "r.example", source: "docker-credential-echo (the config)" }, { username: "u" }]);
    expect(await ask({ credsStore: "echo" }, "index.docker.io")).toMatchObject([{ username: "https://index.docker.io/v1/" }]);
    expect(await ask({ credHelpers: { "docker.io": "echo" } }, "index.docker.io")).toHaveLength(1);
    expect(await ask({ credHelpers: { "other.example": "echo" } })).toEqual([]);
  });

  test("tokens, and knowing nothing", async () => {
    helper("token", `echo '{"Username":"<token>","Secret":"t"}'`);
    helper("empty", `echo "credentials not found in native keychain"; exit 1`);
    expect(await ask({ credsStore: "token" })).toMatchObject([{ kind: "identity-token", token: "t" }]);
    expect(await ask({ credsStore: "empty" })).toEqual([]);
  });

  test("that fail, hang, chatter, do not exist or are paths are named; nothing they print is", async () => {
    helper("fails", `echo hunter2; exit 3`);
    helper("hangs", `exec sleep 20`);
    helper("chatters", `while :; do echo hunter2hunter2hunter2; done`);
    helper("rambles", `echo hunter2`);
    for (const name of ["fails", "hangs", "chatters", "rambles", "absent"]) {
      const error = await ask({ credsStore: name }, "r.example", name === "hangs" ? 100 : 5000).catch((error) => error);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).not.toContain("hunter2");
    }
    await expect(ask({ credsStore: "../../bin/sh" })).rejects.toThrow("the config names a credential helper that is no file name");
  });
});
