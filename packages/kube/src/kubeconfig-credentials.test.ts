import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CredentialsError } from "./credentials.ts";
import { kubeconfigCredentials } from "./kubeconfig-credentials.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-kubeconfig-"));
  file = join(folder, "config");
});
afterEach(() => rmSync(folder, { recursive: true }));
const canary = "canary-token-5d1";
const base64 = (text: string) => Buffer.from(text).toString("base64");

function write(user: object, more: { server?: string; cluster?: object; namespace?: string; context?: string } = {}): void {
  const { server = "https://one.example:6443/", cluster = {}, namespace = "team", context = "here" } = more;
  const clusters = [
    { name: "one", cluster: { server, "certificate-authority-data": base64("CA ONE"), ...cluster } },
    { name: "two", cluster: { server: "https://two.example", "certificate-authority-data": base64("CA TWO") } },
  ];
  const contexts = [
    { name: "here", context: { cluster: "one", user: "me", namespace } },
    { name: "there", context: { cluster: "two", user: "me" } },
  ];
  writeFileSync(file, JSON.stringify({ clusters, contexts, users: [{ name: "me", user }], "current-context": context }));
}
/** A plug-in that counts its runs and prints what it is given. */
function plugin(script: string): object {
  const path = join(folder, "plugin");
  writeFileSync(path, `#!/bin/sh\necho run >> ${folder}/runs\n${script}\n`, { mode: 0o755 });
  return { exec: { apiVersion: "client.authentication.k8s.io/v1", command: path, interactiveMode: "Never" } };
}
const credential = (status: object) => `echo '${JSON.stringify({ kind: "ExecCredential", status })}'`;

test("a token, the CA, the context's namespace; no slash at the server's end", async () => {
  write({ token: "t1" });
  const credentials = await kubeconfigCredentials({ file });
  expect([credentials.server, credentials.namespace]).toEqual(["https://one.example:6443", "team"]);
  expect(await credentials.tls()).toEqual({ ca: "CA ONE" });
  expect(await credentials.headers()).toEqual({ authorization: "Bearer t1" });
});

test("another context, cluster or server: each with its own CA", async () => {
  write({ token: "t1" });
  const there = await kubeconfigCredentials({ file, context: "there" });
  expect([there.server, there.namespace, await there.tls()]).toEqual(["https://two.example", "default", { ca: "CA TWO" }]);
  const cluster = await kubeconfigCredentials({ file, cluster: "two" });
  expect([cluster.server, cluster.namespace, await cluster.tls()]).toEqual(["https://two.example", "team", { ca: "CA TWO" }]);
  const server = await kubeconfigCredentials({ file, server: "https://three.example/" });
  expect([server.server, await server.tls()]).toEqual(["https://three.example", { ca: "CA ONE" }]);
});

test("client certificate, password, impersonation", async () => {
  write({ "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY"), as: "somebody" });
  const certified = await kubeconfigCredentials({ file });
  expect(await certified.tls()).toEqual({ ca: "CA ONE", clientCertificate: { cert: "CERT", key: "KEY" } });
  expect(await certified.headers()).toEqual({ "impersonate-user": "somebody" });
  write({ username: "u", password: "p" });
  expect(await (await kubeconfigCredentials({ file })).headers()).toEqual({ authorization: `Basic ${base64("u:p")}` });
});

test("an exec plug-in: run once, and anew when the server refused what it gave", async () => {
  write(plugin(credential({ token: "from-plugin", clientCertificateData: "C", clientKeyData: "K" })));
  const { headers, tls } = await kubeconfigCredentials({ file });
  const runs = async () => (await import("node:fs")).readFileSync(`${folder}/runs`, "utf8").trim().split("\n").length;
  await Promise.all([headers(), headers()]);
  expect(await runs()).toBe(1);
  rmSync(`${folder}/runs`);
  expect(await tls()).toMatchObject({ clientCertificate: { cert: "C", key: "K" } });
  expect(await headers()).toEqual({ authorization: "Bearer from-plugin" });
  await headers();
  expect(await runs()).toBe(1);
  plugin(credential({ token: "next" }));
  await tls();
  expect([await headers(), await runs()]).toEqual([{ authorization: "Bearer next" }, 2]);
});

test.each([
  ["prints no JSON", `echo ${canary}`],
  ["fails", `echo ${canary} >&2; exit 1`],
])("a plug-in that %s: its name is told, nothing it printed; a good one later is used", async (_what, script) => {
  write(plugin(script));
  const { headers, tls } = await kubeconfigCredentials({ file });
  const error = await headers().catch((failure) => failure);
  expect(error).toBeInstanceOf(CredentialsError);
  expect(error.message).toMatch(/plug-in .*plugin failed; run it by hand/);
  expect(error.message).not.toContain(canary);
  await expect(tls()).rejects.toThrow(/plugin failed/);
  plugin(credential({ token: "good" }));
  expect(await headers()).toEqual({ authorization: "Bearer good" });
});

test("a plug-in that is not there", async () => {
  write({ exec: { apiVersion: "v1", command: "/no/such/program" } });
  await expect((await kubeconfigCredentials({ file })).headers()).rejects.toThrow(/\(ENOENT\): its plug-in \/no\/such\/program failed/);
});

test("a plain-http server: no verification to insist on", async () => {
  write({}, { server: "http://127.0.0.1:8001", cluster: { "certificate-authority-data": undefined } });
  const { server, tls, headers } = await kubeconfigCredentials({ file });
  expect([server, await tls(), await headers()]).toEqual(["http://127.0.0.1:8001", { insecure: true }, {}]);
});

test("a rotated file comes through with the next renewal; a broken one leaves what is known", async () => {
  write({ token: "old" });
  const { headers, tls } = await kubeconfigCredentials({ file });
  await headers();
  write({ token: "new" });
  await tls();
  expect(await headers()).toEqual({ authorization: "Bearer new" });
  writeFileSync(file, "{");
  await tls();
  expect(await headers()).toEqual({ authorization: "Bearer new" });
});

test.each([
  ["nonsense", `users: [ {token: ${canary} ]`, /is no valid kubeconfig/],
  ["of no context", JSON.stringify({ clusters: [], users: [], contexts: [], "current-context": "" }), /names no cluster/],
])("a file %s: a sentence that does not quote it", async (_what, text, sentence) => {
  writeFileSync(file, text);
  const error = await kubeconfigCredentials({ file }).catch((failure) => failure);
  expect(error).toBeInstanceOf(CredentialsError);
  expect(error.message).toMatch(sentence);
  expect(error.message).toContain(file);
  expect(error.message).not.toContain(canary);
});

test("a file that is not there, with Node's code for whoever asks", async () => {
  await expect(kubeconfigCredentials({ file: `${file}.not` })).rejects.toMatchObject({ code: "ENOENT", message: /is not there/ });
});
