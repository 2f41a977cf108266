import type { HttpRequest, HttpResponse } from "@countersign/http";
import { expect, test } from "vitest";
import { attested, image, statement, testKey } from "../attestations.fixture.ts";
import { secretsKeychain } from "../keychain.ts";
import { ociStorage } from "../oci-storage.ts";
import { answer, memoryRegistry } from "../registry.fixture.ts";

/** How the registries of this world ask for credentials, and how their token services answer, by their public documentation. */
interface Kind {
  readonly name: string;
  /** The registry's part of the challenge. */
  readonly challenge: string;
  /** What the token service says; undefined: there is none. */
  readonly token?: (token: string) => object;
  /** The login that people put into a Secret. */
  readonly login: object;
  /** A token service that wants a refresh token in a form instead of a password. */
  readonly refresh?: boolean;
}

const user = { username: "robot", password: "s3cret" };
const auth = { auth: Buffer.from("robot:s3cret").toString("base64") };
const both = (token: string) => ({ token, access_token: token, expires_in: 300, issued_at: "2026-11-24T10:00:00Z" });

const kinds: Readonly<Record<string, Kind>> = {
  "Docker Hub": {
    ...{ name: "index.docker.io/team/app", login: { "https://index.docker.io/v1/": auth }, token: both },
    challenge: 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
  },
  GHCR: {
    ...{ name: "ghcr.io/team/app", login: { "ghcr.io": user }, token: (token: string) => ({ token }) },
    challenge: 'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"',
  },
  Quay: {
    ...{ name: "quay.io/team/app", login: { "https://quay.io": auth }, token: (token: string) => ({ token }) },
    challenge: 'Bearer realm="https://quay.io/v2/auth",service="quay.io"',
  },
  Harbor: {
    ...{ name: "harbor.example/team/app", login: { "harbor.example/team": user }, token: both },
    challenge: 'Bearer realm="https://harbor.example/service/token",service="harbor-registry"',
  },
  GitLab: {
    ...{ name: "registry.gitlab.example/team/app", login: { "registry.gitlab.example": user }, token: (token: string) => ({ token }) },
    challenge: 'Bearer realm="https://gitlab.example/jwt/auth",service="container_registry"',
  },
  "Artifact Registry, by a key file": {
    ...{
      name: "europe-docker.pkg.dev/team/app",
      login: { "*-docker.pkg.dev": user },
      token: (token: string) => ({ token, expires_in: 3600 }),
    },
    challenge: 'Bearer realm="https://europe-docker.pkg.dev/v2/token",service=""',
  },
  "ECR, by a password": {
    ...{ name: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app", login: { "123456789012.dkr.ecr.eu-west-1.amazonaws.com": user } },
    challenge: 'Basic realm="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
  },
  "ACR, by an identity token": {
    ...{ name: "acmeregistry.azurecr.io/team/app", refresh: true, token: (token: string) => ({ access_token: token }) },
    login: {
      "acmeregistry.azurecr.io": { auth: Buffer.from("00000000-0000-0000-0000-000000000000:").toString("base64"), identitytoken: "s3cret" },
    },
    challenge: 'Bearer realm="https://acmeregistry.azurecr.io/oauth2/token",service="acmeregistry.azurecr.io"',
  },
  "distribution with htpasswd": {
    ...{ name: "registry.example:5000/team/app", login: { "registry.example:5000": user } },
    challenge: 'Basic realm="Registry Realm"',
  },
};

test.each(Object.entries(kinds))("%s lets a Secret's login in", async (_, kind) => {
  const { name, challenge, token, login, refresh = false } = kind;
  const registry = memoryRegistry();
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1] ?? "";
  const service = /service="([^"]*)"/.exec(challenge)?.[1];
  const right = token ? "Bearer the-token" : `Basic ${auth.auth}`;
  const scope = "repository:team/app:pull,push";
  registry.before = (_line, request): HttpResponse | undefined => {
    const url = new URL(request.url);
    if (token && `${url.origin}${url.pathname}` === realm) return tokenFor(request, url);
    if (request.headers?.["authorization"] === right) return undefined;
    return answer(401, '{"errors":[{"code":"UNAUTHORIZED"}]}', { "www-authenticate": challenge });
  };
  function tokenFor({ method, headers, body }: HttpRequest, url: URL): HttpResponse {
    const asked = refresh ? new URLSearchParams(String(body)) : url.searchParams;
    if ((asked.get("service") ?? undefined) !== service || asked.get("scope") !== scope) return answer(400);
    const mayPass = refresh
      ? method === "POST" && asked.get("grant_type") === "refresh_token" && asked.get("refresh_token") === "s3cret"
      : headers?.["authorization"] === `Basic ${auth.auth}`;
    return mayPass ? answer(200, JSON.stringify(token?.("the-token"))) : answer(401);
  }
  const text = JSON.stringify({ auths: login });
  const credentials = secretsKeychain(async () => [{ type: "kubernetes.io/dockerconfigjson", text, source: "secret ci/push" }]);
  const storage = ociStorage({ http: registry, credentials, lookAfterMs: () => 1 });
  const at = await storage.store(attested(statement([image(name)]), testKey()), { signal: AbortSignal.timeout(10_000) });
  expect(at).toMatchObject({ uris: [expect.stringContaining("/team/app:sha256-")], via: "secret ci/push" });
});
