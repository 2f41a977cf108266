import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CredentialsError } from "./credentials.ts";
import { isInCluster, podCredentials } from "./pod-credentials.ts";

let folder: string;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-pod-"));
  write("token", "one\n");
  write("ca.crt", "CA");
  write("namespace", "tekton-chains\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("server, namespace, CA and token of a pod", async () => {
  const credentials = await podCredentials({ env, folder });
  expect([credentials.server, credentials.namespace]).toEqual(["https://10.0.0.1:6443", "tekton-chains"]);
  expect(await credentials.tls()).toEqual({ ca: "CA" });
  expect(await credentials.headers()).toEqual({ authorization: "Bearer one" });
});

test("the token is read once a minute, and anew when the server refused it", async () => {
  let now = 0;
  const { headers, tls } = await podCredentials({ env, folder, now: () => now });
  await headers();
  write("token", "two");
  now = 59_999;
  expect(await headers()).toEqual({ authorization: "Bearer one" });
  now = 60_000;
  expect(await headers()).toEqual({ authorization: "Bearer two" });
  write("token", "three");
  expect(await headers()).toEqual({ authorization: "Bearer two" });
  await tls();
  expect(await headers()).toEqual({ authorization: "Bearer three" });
});

test("a token file that is gone for a moment leaves the token at hand", async () => {
  let now = 0;
  const { headers } = await podCredentials({ env, folder, now: () => now });
  await headers();
  rmSync(join(folder, "token"));
  now = 60_000;
  expect(await headers()).toEqual({ authorization: "Bearer one" });
});

test("an IPv6 host stands in brackets; the port has a default; so has the namespace", async () => {
  rmSync(join(folder, "namespace"));
  const { server, namespace } = await podCredentials({ env: { KUBERNETES_SERVICE_HOST: "fd00::1" }, folder });
  expect([server, namespace]).toEqual(["https://[fd00::1]:443", "default"]);
});

test("outside a pod, or without a mounted account: a sentence that names the file", async () => {
  await expect(podCredentials({ env: {}, folder })).rejects.toThrow(/KUBERNETES_SERVICE_HOST is not set/);
  expect([isInCluster({}), isInCluster(env)]).toEqual([false, true]);
  for (const name of ["token", "ca.crt"]) rmSync(join(folder, name));
  const { headers, tls } = await podCredentials({ env, folder });
  await expect(headers()).rejects.toThrow(/token cannot be read \(ENOENT\).*automountServiceAccountToken/);
  await expect(tls()).rejects.toBeInstanceOf(CredentialsError);
  write("token", " \n");
  await expect(headers()).rejects.toThrow(/token is empty/);
});
