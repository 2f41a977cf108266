import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CredentialSource, dockerKeychain, inOrder, secretsKeychain } from "./keychain.ts";

const call = { signal: new AbortController().signal };
const place = { registry: "r.example", repository: "team/app" };
const artifact = { run: { kind: "TaskRun", namespace: "ci", name: "n", uid: "u" }, serviceAccount: "builder" } as const;
const config = (user: string, more: object = {}): string =>
  JSON.stringify({ auths: { "r.example": { username: user, password: "p" } }, ...more });
const legacy = JSON.stringify({ "r.example": { username: "old", password: "p" } });

describe("the Secrets of a ServiceAccount", () => {
  test("both types, in their order, named by their source", async () => {
    const asked: string[] = [];
    const keychain = secretsKeychain(async (namespace, account) => {
      asked.push(`${namespace}/${account}`);
      return [
        { type: "kubernetes.io/dockerconfigjson", text: config("one"), source: "secret ci/one" },
        { type: "kubernetes.io/dockercfg", text: legacy, source: "secret ci/two" },
      ];
    });
    expect(await keychain(artifact, place, call)).toEqual([
      { kind: "basic", username: "one", password: "p", source: "secret ci/one" },
      { kind: "basic", username: "old", password: "p", source: "secret ci/two" },
    ]);
    expect(asked).toEqual(["ci/builder"]);
    expect(await keychain(undefined, place, call)).toEqual([]);
  });

  test("never run a program here", async () => {
    const text = JSON.stringify({ credsStore: "absent", credHelpers: { "r.example": "absent" }, auths: {} });
    const keychain = secretsKeychain(async () => [{ type: "kubernetes.io/dockerconfigjson", text, source: "secret ci/evil" }]);
    expect(await keychain(artifact, place, call)).toEqual([]);
  });

  test("that cannot be read are named, not quoted", async () => {
    const keychain = secretsKeychain(async () => [{ type: "kubernetes.io/dockercfg", text: "hunter2", source: "secret ci/broken" }]);
    const error = await keychain(artifact, place, call).catch((error) => error);
    expect(error).toMatchObject({ code: "store.credentials-unreadable", retry: "counted" });
    expect((error as Error).message).toContain("secret ci/broken");
    expect((error as Error).message).not.toContain("hunter2");
  });
});

describe("the docker configuration of the process", () => {
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  const write = (path: string, text: string): string => {
    const file = join(folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const users = async (env: Record<string, string>, home = folder): Promise<readonly string[]> =>
    (await dockerKeychain({ env, home })(undefined, place, call)).map((one) => (one.kind === "basic" ? one.username : one.kind));

  test("from every place it can be in, in order; DOCKER_CONFIG stands in for the home's", async () => {
    write(".docker/config.json", config("home"));
    write("elsewhere/config.json", config("elsewhere"));
    const file = write("auth.json", config("file"));
    write("run/containers/auth.json", config("podman"));
    expect(await users({})).toEqual(["home"]);
    expect(
      await users({ DOCKER_CONFIG: join(folder, "elsewhere"), REGISTRY_AUTH_FILE: file, XDG_RUNTIME_DIR: join(folder, "run") }),
    ).toEqual(["elsewhere", "file", "podman"]);
    expect(await users({}, join(folder, "nowhere"))).toEqual([]);
  });

  test("is read anew each time", async () => {
    write("fresh/config.json", config("before"));
    const keychain = dockerKeychain({ env: { DOCKER_CONFIG: join(folder, "fresh") }, home: folder });
    expect(await keychain(undefined, place, call)).toMatchObject([{ username: "before" }]);
    write("fresh/config.json", config("after"));
    expect(await keychain(undefined, place, call)).toMatchObject([{ username: "after" }]);
  });

  test("that is broken, or asks for a helper that is not there, is named", async () => {
    write("broken/config.json", "{");
    write("helpless/config.json", JSON.stringify({ credsStore: "absent" }));
    mkdirSync(join(folder, "odd", "config.json"), { recursive: true });
    for (const name of ["broken", "helpless", "odd"])
      await expect(users({ DOCKER_CONFIG: join(folder, name) })).rejects.toMatchObject({
        code: "store.credentials-unreadable",
        retry: "counted",
      });
  });
});

describe("several sources", () => {
  const asked: string[] = [];
  const source = (name: string, text: string) =>
    secretsKeychain(async () => {
      asked.push(name);
      return [{ type: "kubernetes.io/dockercfg", text, source: name }];
    });
  const names = async (...sources: readonly CredentialSource[]) =>
    (await inOrder(...sources)(artifact, place, call)).map((one) => one.source);

  test("all that they know, in their order", async () => {
    expect(await names(source("empty", "{}"), source("one", legacy), source("two", legacy))).toEqual(["one", "two"]);
    expect(asked).toEqual(["empty", "one", "two"]);
    expect(await names()).toEqual([]);
  });

  test("one that fails is passed over where those before it know something", async () => {
    const broken = source("broken", "hunter2");
    expect(await names(source("one", legacy), broken, source("two", legacy))).toEqual(["one", "two"]);
    await expect(names(source("empty", "{}"), broken, source("two", legacy))).rejects.toMatchObject({
      code: "store.credentials-unreadable",
    });
  });
});
