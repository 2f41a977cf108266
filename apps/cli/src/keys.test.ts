import { statSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { testCluster } from "./cluster.fixture.ts";
import { session } from "./session.fixture.ts";

const person = session();
afterAll(() => person[Symbol.dispose]());
const modeOf = (name: string) => (statSync(person.path(name)).mode & 0o777).toString(8);

test("three files, for the owner alone, with the password of COSIGN_PASSWORD", async () => {
  const { code, out, err } = await person.run(["keys", "generate", person.path("keys")], { env: { COSIGN_PASSWORD: "canary-pässword" } });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain(`wrote ${person.path("keys/cosign.key")}`);
  expect(["keys", "keys/cosign.key", "keys/cosign.password", "keys/cosign.pub"].map(modeOf)).toEqual(["700", "600", "600", "644"]);
  expect(person.read("keys/cosign.password")).toBe("canary-pässword");
  expect(out).not.toContain("canary");
});

test("a key that is there is never overwritten, whatever kind it is", async () => {
  const before = person.read("keys/cosign.key");
  const { code, err } = await person.run(["keys", "generate", person.path("keys"), "--random-password"]);
  expect(code).toBe(3);
  expect(err).toContain("is not overwritten");
  expect(person.read("keys/cosign.key")).toBe(before);
  person.write("x509.pem", "a key");
  expect((await person.run(["keys", "generate", person.folder, "--random-password"])).code).toBe(3);
});

test("a person types the password twice, and nothing is written when they differ", async () => {
  const typed =
    (...answers: string[]) =>
    async () =>
      answers.shift();
  const same = await person.run(["keys", "generate", person.path("typed")], { askSecret: typed("one", "one") });
  expect(same.code).toBe(0);
  expect(person.read("typed/cosign.password")).toBe("one");
  const other = await person.run(["keys", "generate", person.path("mistyped")], { askSecret: typed("one", "two") });
  expect(other).toMatchObject({ code: 3, err: expect.stringContaining("differ") });
  expect(() => person.read("mistyped/cosign.key")).toThrow();
});

test("nobody to ask, and nowhere to write", async () => {
  expect((await person.run(["keys", "generate", person.path("nobody")])).err).toContain("COSIGN_PASSWORD");
  const place = person.path("x509.pem/below");
  expect(await person.run(["keys", "generate", place, "--random-password"])).toMatchObject({
    code: 3,
    err: expect.stringContaining("ENOTDIR"),
  });
  expect((await person.run(["keys", "generate", "gcpkms://x", "--random-password"])).err).toContain("k8s://NAMESPACE/NAME");
});

test("JSON has a stable shape", async () => {
  const { out } = await person.run(["keys", "generate", person.path("json"), "--random-password", "-o", "json"]);
  expect(JSON.parse(out)).toEqual({
    written: ["cosign.key", "cosign.password", "cosign.pub"].map((name) => person.path(`json/${name}`)),
    publicKey: person.read("json/cosign.pub"),
  });
});

test("a Secret is made, an empty one is filled, a full one is left alone", async () => {
  await using cluster = await testCluster(person.folder);
  const generate = (name: string) =>
    person.run(["keys", "generate", `k8s://tekton-chains/${name}`, "--kubeconfig", cluster.kubeconfig], {
      env: { COSIGN_PASSWORD: "canary" },
    });
  const dataOf = (name: string) =>
    (cluster.objects.get(`/api/v1/namespaces/tekton-chains/secrets/${name}`) as { data: Record<string, string> }).data;
  const made = await generate("new");
  expect(made).toMatchObject({ code: 0, out: expect.stringContaining("wrote k8s://tekton-chains/new") });
  expect(made.out).toContain("BEGIN PUBLIC KEY");
  expect(Buffer.from(dataOf("new")["cosign.password"] ?? "", "base64").toString()).toBe("canary");
  cluster.objects.set("/api/v1/namespaces/tekton-chains/secrets/signing-secrets", { kind: "Secret" });
  expect((await generate("signing-secrets")).code).toBe(0);
  expect(Object.keys(dataOf("signing-secrets")).sort()).toEqual(["cosign.key", "cosign.password", "cosign.pub"]);
  const again = await generate("new");
  expect(again).toMatchObject({ code: 3, err: expect.stringContaining("is not overwritten") });
  for (const { out, err } of [made, again]) expect(out + err).not.toContain("canary");
});

test("no cluster, and no right to it, are sentences", async () => {
  const args = ["keys", "generate", "k8s://a/b", "--random-password", "--kubeconfig"];
  const none = await person.run([...args, person.path("no-kubeconfig")]);
  expect(none).toMatchObject({ code: 3, err: expect.stringContaining("no-kubeconfig is not there") });
  const broken = await person.run([...args, person.write("broken", "users: [{token: canary-x\n")]);
  expect(broken.code).toBe(3);
  expect(broken.out + broken.err).not.toContain("canary");
  await using cluster = await testCluster(person.folder);
  const foreign = person.write("foreign", person.read("kubeconfig").replace(cluster.token, "canary-y"));
  const refused = await person.run([...args, foreign]);
  expect(refused).toMatchObject({ code: 3, err: expect.stringContaining("401") });
  expect(refused.out + refused.err).not.toContain("canary");
});
