import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpError } from "@countersign/http";
import { describe, expect, test } from "vitest";
import { acrAudience, ecrHost, isGarHost } from "./cloud-hosts.ts";
import { answer, type Clouds, client, clouds, roleArn, secrets, tenant } from "./clouds.fixture.ts";
import { credentialSourceNames, credentialSources } from "./credential-sources.ts";

const call = { signal: new AbortController().signal };
const artifact = { run: { kind: "TaskRun", namespace: "ci", name: "n", uid: "u" }, serviceAccount: "builder" } as const;
const folder = mkdtempSync(join(tmpdir(), "clouds-"));
const tokenFile = join(folder, "token");
writeFileSync(tokenFile, `${secrets.federated}\n`);
const env = {
  AWS_ROLE_ARN: roleArn,
  AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
  AZURE_CLIENT_ID: client,
  AZURE_TENANT_ID: tenant,
  AZURE_FEDERATED_TOKEN_FILE: tokenFile,
};
const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const gar = "europe-west1-docker.pkg.dev";
const acr = "acmeregistry.azurecr.io";

const docker = (user: string, host = "r.example") => JSON.stringify({ auths: { [host]: { username: user, password: "p" } } });
const secret = (name: string) => async () => [{ type: "kubernetes.io/dockerconfigjson", text: docker(name), source: `secret ci/${name}` }];

/** Wires count which way a request took: a metadata server must never be asked through the way that may have a proxy. */
function from(names: readonly string[], more: { cloud?: Clouds; metadata?: Clouds; env?: Record<string, string> } = {}) {
  const { cloud = clouds(), metadata = clouds() } = more;
  const ports = {
    secrets: secret("push"),
    imagePullSecrets: secret("pull"),
    env: more.env ?? env,
    home: folder,
    http: () => cloud,
    metadata: () => metadata,
    now: () => cloud.now,
  };
  const source = credentialSources(names, ports);
  return { cloud, metadata, of: (registry: string) => source(artifact, { registry, repository: "team/app" }, call) };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const error: Error = await work.then(
    () => expect.fail("it was to fail"),
    (error) => error,
  );
  const told = [error.message, String(error.cause), JSON.stringify(error)].join(" ");
  for (const one of Object.values(secrets)) expect(told).not.toContain(one);
  return error;
}

test("by name, in their order; an unknown name is said, with the known ones", async () => {
  expect((await from(["image-pull-secrets", "serviceaccount-secrets", "pod", "ecr"]).of("r.example")).map(({ source }) => source)).toEqual([
    "secret ci/pull",
    "secret ci/push",
  ]);
  expect((await from(["serviceaccount-secrets"]).of("r.example")).map(({ source }) => source)).toEqual(["secret ci/push"]);
  expect(await from([]).of("r.example")).toEqual([]);
  for (const name of ["toString", "aws", ""])
    expect(() => from(["pod", name])).toThrow(expect.objectContaining({ code: "config.credential-sources", retry: "hold" }));
  expect(() => from(["aws"])).toThrow(credentialSourceNames.join(", "));
});

describe("hosts are matched as a whole", () => {
  const evil = (host: string) => [`${host}.evil.example`, `evil-${host}`, `x.${host}`, `${host}:8443`, host.replace(".", "-")];
  test.each([ecr, "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"])(
    "%s",
    (host) => {
      expect(ecrHost(host)?.region).toMatch(/^(eu-west-1|us-gov-west-1|cn-north-1)$/);
      expect(evil(host).filter(ecrHost)).toEqual([]);
    },
  );
  test.each([gar, "gcr.io", "eu.gcr.io"])("%s", (host) => {
    expect(isGarHost(host)).toBe(true);
    expect(
      ["pkg.dev.evil.example", "evilgcr.io", "a.b.gcr.io", "gcr.io.evil.example", "x.y-docker.pkg.dev", "pkg.dev", "gcr.io:443"].filter(
        isGarHost,
      ),
    ).toEqual([]);
  });
  test.each([acr, "acmeregistry.azurecr.cn", "acmeregistry.azurecr.us"])("%s", (host) => {
    expect(acrAudience(host)).toMatch(/^https:/);
    expect(evil(host).filter((one) => acrAudience(one) && one !== `evil-${host}`)).toEqual([]);
    expect(["azurecr.io", "evilazurecr.io", "a.azurecr.de"].filter(acrAudience)).toEqual([]);
  });
  test("and nobody else's host makes a cloud be asked", async () => {
    const { cloud, metadata, of } = from(["ecr", "gar", "acr"]);
    for (const host of ["r.example", `${ecr}.evil.example`, `x.${gar}`, `${acr}.evil.example`]) expect(await of(host)).toEqual([]);
    expect([...cloud.seen, ...metadata.seen]).toEqual([]);
  });
});

describe("Amazon", () => {
  test("web identity to keys, keys to a password, once for twelve hours", async () => {
    const { cloud, metadata, of } = from(["ecr"]);
    const expected = [{ kind: "basic", username: "AWS", password: secrets.ecrPassword, source: `ecr, as ${roleArn}` }];
    expect(await Promise.all([of(ecr), of(ecr)])).toEqual([expected, expected]);
    expect(cloud.seen).toEqual(["POST sts.eu-west-1.amazonaws.com/", "POST api.ecr.eu-west-1.amazonaws.com/"]);
    expect(metadata.seen).toEqual([]);
    cloud.now += 12 * 3_600_000 - 120_000;
    await of(ecr);
    expect(cloud.seen).toHaveLength(2);
    cloud.now += 120_000;
    await of(ecr);
    expect(cloud.seen).toHaveLength(4);
  });

  test("each region its own; FIPS hosts ask FIPS services", async () => {
    const { cloud, of } = from(["ecr"], { env: { ...env, AWS_REGION: "us-east-1" } });
    await of("123456789012.dkr.ecr-fips.us-east-2.amazonaws.com");
    await of(ecr);
    expect(cloud.seen).toEqual([
      "POST sts.us-east-1.amazonaws.com/",
      "POST ecr-fips.us-east-2.amazonaws.com/",
      "POST sts.us-east-1.amazonaws.com/",
      "POST api.ecr.eu-west-1.amazonaws.com/",
    ]);
  });

  test("a role that is not trusted, variables that are missing, a token that is not there: said without a secret", async () => {
    expect(await failureOf(from(["ecr"], { env: { ...env, AWS_ROLE_ARN: "arn:other" } }).of(ecr))).toMatchObject({
      code: "store.cloud-credentials",
      retry: "counted",
      message: expect.stringMatching(
        /^ecr: sts\.eu-west-1\.amazonaws\.com answered 403 AccessDenied; annotate the controller's ServiceAccount/,
      ),
    });
    expect((await failureOf(from(["ecr"], { env: {} }).of(ecr))).message).toContain(
      "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set",
    );
    const lost = { ...env, AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "none") };
    expect((await failureOf(from(["ecr"], { env: lost }).of(ecr))).message).toContain(join(folder, "none"));
  });

  test("a clock that is wrong is refused by ECR, which the sentence says", async () => {
    const cloud = clouds();
    const source = credentialSources(["ecr"], {
      ...{ secrets: secret("x"), imagePullSecrets: secret("x"), env, http: () => cloud, metadata: () => cloud },
      now: () => cloud.now - 600_000,
    });
    expect(await failureOf(source(artifact, { registry: ecr, repository: "a" }, call))).toMatchObject({
      message: expect.stringContaining("api.ecr.eu-west-1.amazonaws.com answered 400 RequestExpired"),
    });
  });

  test.each([
    [answer(503, "down"), "wait", "answered 503"],
    [answer(429, ""), "wait", "answered 429"],
    [new HttpError("timeout", "POST https://sts: not done"), "wait", "no answer from"],
    [new HttpError("tls", "POST https://sts: the certificate is not trusted"), "counted", "no answer from"],
    [answer(200, "<Credentials><AccessKeyId>x</AccessKeyId></Credentials>"), "counted", "gave no keys"],
  ])("%s", async (said, retry, sentence) => {
    const { cloud, of } = from(["ecr"]);
    cloud.before = () => said;
    expect(await failureOf(of(ecr))).toMatchObject({ retry, message: expect.stringContaining(sentence) });
    cloud.before = () => undefined;
    expect(await of(ecr)).toHaveLength(1); // a failure is not kept
  });
});

describe("Google", () => {
  test("the metadata server's token, by the way without proxies, until a minute before its end", async () => {
    const { cloud, metadata, of } = from(["gar"]);
    const expected = [
      { kind: "basic", username: "oauth2accesstoken", password: secrets.googleToken, source: "gar, as the pod's Google service account" },
    ];
    expect(await of(gar)).toEqual(expected);
    cloud.now += 3_538_000;
    expect(await of("eu.gcr.io")).toEqual(expected);
    expect(metadata.seen).toEqual(["GET 169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token"]);
    cloud.now += 1_000;
    await of(gar);
    expect(metadata.seen).toHaveLength(2);
    expect(cloud.seen).toEqual([]);
  });

  test("who answers without the server's own header is not believed", async () => {
    const { metadata, of } = from(["gar"]);
    metadata.before = () => answer(200, { access_token: "t", expires_in: 60 });
    expect((await failureOf(of(gar))).message).toContain("no metadata server");
    metadata.before = () => answer(404, "");
    expect(await failureOf(of(gar))).toMatchObject({ retry: "counted", message: expect.stringContaining("169.254.169.254 answered 404") });
  });
});

describe("Azure", () => {
  test("federated token to Entra's, Entra's to the registry's refresh token, each registry its own", async () => {
    const { cloud, of } = from(["acr"]);
    const expected = [{ kind: "identity-token", token: secrets.acrToken, source: `acr, as client ${client}` }];
    expect(await of(acr)).toEqual(expected);
    expect(await of(acr)).toEqual(expected);
    expect(cloud.seen).toEqual([`POST login.microsoftonline.com/${tenant}/oauth2/v2.0/token`, `POST ${acr}/oauth2/exchange`]);
    await of("otherregistry.azurecr.io");
    expect(cloud.seen).toHaveLength(4);
  });

  test("an identity that Entra does not know, a registry that does not exchange", async () => {
    const unknown = from(["acr"], { env: { ...env, AZURE_CLIENT_ID: "other" } });
    expect((await failureOf(unknown.of(acr))).message).toContain("login.microsoftonline.com answered 401 invalid_client");
    const { cloud, of } = from(["acr"]);
    cloud.before = ({ url }) => (String(url).includes("exchange") ? answer(200, {}) : undefined);
    expect((await failureOf(of(acr))).message).toContain(`${acr} gave no token in exchange`);
  });
});

test("an abort is the business of the one who aborts", async () => {
  const cloud = clouds();
  const gate = Promise.withResolvers<void>();
  const slow = { ...cloud, request: async (request: Parameters<Clouds["request"]>[0]) => gate.promise.then(() => cloud.request(request)) };
  const source = credentialSources(["ecr"], {
    ...{ secrets: secret("x"), imagePullSecrets: secret("x"), env, http: () => slow, metadata: () => slow, now: () => cloud.now },
  });
  const stop = new AbortController();
  const place = { registry: ecr, repository: "a" };
  const [impatient, patient] = [source(artifact, place, { signal: stop.signal }), source(artifact, place, call)];
  stop.abort(new Error("no time"));
  await expect(impatient).rejects.toThrow("no time");
  gate.resolve();
  expect(await patient).toHaveLength(1);
  expect(cloud.seen).toHaveLength(2);
});
