import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Http, http } from "@countersign/http";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type IdentityTokensOptions, identityTokens } from "./identity-tokens.ts";

let dir = "";
let net: Http;
const servers: Server[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tokens-"));
  net = http({ backOffMs: () => 1 });
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  await net.close();
  await rm(dir, { recursive: true });
});

const call = { signal: new AbortController().signal };
/** Nothing of this machine is seen. */
const nowhere = () => ({
  projectedTokenFile: join(dir, "oidc-token"),
  productNameFile: join(dir, "product"),
  workloadSocket: join(dir, "api.sock"),
  credentialsUrl: "http://127.0.0.1:1",
});
const ask = (options: Partial<IdentityTokensOptions> = {}) =>
  identityTokens({ http: net, env: {}, ...options, places: { ...nowhere(), ...options.places } })(call);

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}
async function service(answer: (seen: Seen) => { status?: number; body: string }): Promise<{ url: string; host: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const one = { method: request.method, url: request.url, headers: request.headers, body };
    seen.push(one);
    const { status = 200, body: said } = answer(one);
    response.writeHead(status).end(said);
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host, seen };
}

describe("files", () => {
  test("a configured file is read anew each time, white space around the token does not count", async () => {
    const file = join(dir, "token");
    const tokens = identityTokens({ http: net, env: {}, file, places: nowhere() });
    await writeFile(file, "one\n");
    expect(await tokens(call)).toEqual({ token: "one", source: `the file ${file}`, cheap: true });
    await writeFile(file, " two\r\n");
    expect((await tokens(call)).token).toBe("two");
    await rm(file);
    await expect(tokens(call)).rejects.toMatchObject({ code: "sign.token-missing", retry: "hold", message: expect.stringContaining(file) });
    await writeFile(file, "\n");
    await expect(tokens(call)).rejects.toMatchObject({ code: "sign.token-missing", message: expect.stringContaining("empty") });
  });

  test("both file providers take the configured file; another provider overrules it", async () => {
    const file = join(dir, "token");
    await writeFile(file, "of the file");
    for (const provider of ["filesystem", "filesystem-custom-path", ""]) expect((await ask({ provider, file })).token).toBe("of the file");
    expect((await ask({ provider: "envvar", file, env: { SIGSTORE_ID_TOKEN: "of the environment" } })).token).toBe("of the environment");
  });

  test("a named file provider without a file looks at the usual place", async () => {
    await writeFile(nowhere().projectedTokenFile, "projected");
    for (const provider of ["filesystem", "filesystem-custom-path"]) expect((await ask({ provider })).token).toBe("projected");
  });
});

describe("the environment", () => {
  test("a token that never changes says so", async () => {
    expect(await ask({ provider: "envvar", env: { SIGSTORE_ID_TOKEN: "t\n" } })).toEqual({
      token: "t",
      source: "SIGSTORE_ID_TOKEN",
      fixed: true,
    });
    await expect(ask({ provider: "envvar", env: { SIGSTORE_ID_TOKEN: "" } })).rejects.toMatchObject({
      code: "sign.token-missing",
      retry: "hold",
    });
  });
});

describe("whichever is there", () => {
  test("in order, and the next when one fails", async () => {
    const github = await service(() => ({ body: '{"value":"of GitHub"}' }));
    const env = {
      SIGSTORE_ID_TOKEN: "of the environment",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x",
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/?a=b`,
    };
    expect((await ask({ env: { ...env, SIGSTORE_ID_TOKEN: "" } })).token).toBe("of GitHub");
    expect((await ask({ env })).token).toBe("of the environment");
    await writeFile(nowhere().projectedTokenFile, "projected");
    expect((await ask({ env })).token).toBe("projected");
  });

  test("nothing there: the sentence says what to mount", async () => {
    await expect(ask()).rejects.toMatchObject({
      code: "sign.token-missing",
      retry: "hold",
      message: expect.stringContaining("oidc-token"),
    });
  });

  test("the last failure speaks", async () => {
    const github = await service(() => ({ status: 403, body: "canary" }));
    const env = { SIGSTORE_ID_TOKEN: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x", ACTIONS_ID_TOKEN_REQUEST_URL: github.url };
    await expect(ask({ env })).rejects.toMatchObject({
      code: "sign.token-refused",
      message: expect.stringMatching(/^GitHub Actions answered 403/),
    });
  });

  test("an abort is nobody's failure", async () => {
    const stop = new AbortController();
    const github = await service(() => {
      stop.abort(new Error("stopped"));
      return { status: 500, body: "" };
    });
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x", ACTIONS_ID_TOKEN_REQUEST_URL: github.url };
    const tokens = identityTokens({ http: net, env, places: nowhere() });
    await expect(tokens({ signal: stop.signal })).rejects.toThrow("stopped");
  });
});

test("a name that is none", async () => {
  await expect(ask({ provider: "toString" })).rejects.toMatchObject({
    code: "sign.provider-unknown",
    retry: "hold",
    message: expect.stringMatching(/"toString".*buildkite-agent.*github,.*google,/),
  });
});

describe("GitHub Actions", () => {
  test.each(["github", "github-actions"])("%s", async (provider) => {
    const github = await service(() => ({ body: '{"value":"of GitHub"}' }));
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "runner", ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/t?api-version=2.0` };
    expect(await ask({ provider, env })).toEqual({ token: "of GitHub", source: "GitHub Actions" });
    expect(github.seen[0]).toMatchObject({
      method: "GET",
      url: "/t?api-version=2.0&audience=sigstore",
      headers: { authorization: "Bearer runner" },
    });
  });

  test("asked three times before it counts as an outage", async () => {
    const github = await service(() => ({ status: 503, body: "canary-body" }));
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary-bearer", ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/t?canary-query=1` };
    const failure = await ask({ provider: "github", env }).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: "sign.token-unreachable", retry: "wait" });
    expect(github.seen).toHaveLength(3);
    expect(JSON.stringify([(failure as Error).message, (failure as Error).stack, (failure as Error).cause])).not.toContain("canary");
  });

  test("nobody there: an outage; no permission: a sentence", async () => {
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x", ACTIONS_ID_TOKEN_REQUEST_URL: "http://127.0.0.1:1/canary?canary" };
    await expect(ask({ provider: "github", env })).rejects.toMatchObject({ retry: "wait", message: expect.not.stringContaining("canary") });
    await expect(ask({ provider: "github" })).rejects.toMatchObject({ retry: "hold", message: expect.stringContaining("id-token: write") });
  });

  test.each(["", "null", "[]", '{"value":7}', '{"value":""}', "canary{"])("%j is no token", async (body) => {
    const github = await service(() => ({ body }));
    const env = { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x", ACTIONS_ID_TOKEN_REQUEST_URL: github.url };
    await expect(ask({ provider: "github", env })).rejects.toMatchObject({ retry: "wait", message: expect.not.stringContaining("canary") });
  });
});

test("Buildkite", async () => {
  const agent = await service(() => ({ body: '{"token":"of Buildkite"}' }));
  const env = { BUILDKITE_AGENT_ACCESS_TOKEN: "agent", BUILDKITE_JOB_ID: "job/1", BUILDKITE_AGENT_ENDPOINT: `${agent.url}/v3/` };
  expect(await ask({ provider: "buildkite-agent", env })).toEqual({ token: "of Buildkite", source: "the Buildkite agent API" });
  expect(agent.seen[0]).toMatchObject({
    method: "POST",
    url: "/v3/jobs/job%2F1/oidc/tokens",
    headers: { authorization: "Token agent" },
    body: '{"audience":"sigstore"}',
  });
  await expect(ask({ provider: "buildkite-agent", env: { BUILDKITE_AGENT_ACCESS_TOKEN: "x" } })).rejects.toMatchObject({ retry: "hold" });
});

describe("Google", () => {
  const machine = () =>
    service(({ url, headers }) => {
      if (headers["metadata-flavor"] !== "Google") return { status: 403, body: "" };
      return { body: url?.includes("/identity?") ? "of the machine\n" : '{"access_token":"access","expires_in":3599}' };
    });

  test.each(["google", "google-workload-identity"])("%s: the machine's own identity", async (provider) => {
    const { host, seen } = await machine();
    expect((await ask({ provider, env: { GCE_METADATA_HOST: host } })).token).toBe("of the machine");
    expect(seen[0]?.url).toBe("/computeMetadata/v1/instance/service-accounts/default/identity?audience=sigstore&format=full");
  });

  test("without a name, only where the kernel says that it is Google's machine", async () => {
    const { host } = await machine();
    const env = { GCE_METADATA_HOST: host };
    await writeFile(nowhere().productNameFile, "Another Computer\n");
    await expect(ask({ env })).rejects.toMatchObject({ code: "sign.token-missing" });
    await writeFile(nowhere().productNameFile, "Google Compute Engine\n");
    expect((await ask({ env })).token).toBe("of the machine");
  });

  test("impersonation", async () => {
    const [{ host }, iam] = [await machine(), await service(() => ({ body: '{"token":"of the account"}' }))];
    const env = { GCE_METADATA_HOST: host, GOOGLE_SERVICE_ACCOUNT_NAME: "a@b.iam.gserviceaccount.com" };
    const places = { credentialsUrl: iam.url };
    expect((await ask({ provider: "google-impersonate", env, places })).token).toBe("of the account");
    expect((await ask({ env, places })).token).toBe("of the account");
    expect(iam.seen[0]).toMatchObject({
      method: "POST",
      url: "/v1/projects/-/serviceAccounts/a%40b.iam.gserviceaccount.com:generateIdToken",
      headers: { authorization: "Bearer access" },
      body: '{"audience":"sigstore","includeEmail":true}',
    });
  });
});

describe("SPIFFE", () => {
  const identity = (value: Buffer) => value;
  const wire = (field: number, value: Uint8Array) => Buffer.concat([Buffer.of((field << 3) | 2, value.length), value]);
  /** A real gRPC server; its answer may be an error. */
  async function agent(
    answer: (request: Buffer, header: unknown) => Buffer | { code: number },
  ): Promise<{ socket: string; close(): void }> {
    const socket = join(dir, "api.sock");
    const server = new GrpcServer();
    const method = {
      path: "/SpiffeWorkloadAPI/FetchJWTSVID",
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    server.addService({ fetch: method }, {
      fetch: (
        call: { request: Buffer; metadata: { get(name: string): unknown[] } },
        done: (error: object | null, value?: Buffer) => void,
      ) => {
        const said = answer(call.request, call.metadata.get("workload.spiffe.io")[0]);
        if (Buffer.isBuffer(said)) done(null, said);
        else done({ ...said, details: "canary" });
      },
    } as never);
    await new Promise<void>((ready, failed) =>
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => (error ? failed(error) : ready())),
    );
    return { socket, close: () => server.forceShutdown() };
  }

  test.each([(path: string) => path, (path: string) => `unix://${path}`, (path: string) => `unix:${path}`])(
    "the first SVID of the agent, socket form %#",
    async (form) => {
      const requests: unknown[] = [];
      const svid = (token: string) =>
        wire(1, Buffer.concat([wire(1, Buffer.from("spiffe://x/y")), wire(2, Buffer.from(token)), wire(3, Buffer.from("hint"))]));
      const { socket, close } = await agent((request, header) => {
        requests.push([request.toString("latin1"), header]);
        return Buffer.concat([svid("of the agent"), svid("second")]);
      });
      expect(await ask({ provider: "spiffe", env: { SPIFFE_ENDPOINT_SOCKET: form(socket) } })).toEqual({
        token: "of the agent",
        source: "the SPIFFE Workload API",
      });
      expect(requests).toEqual([["\n\bsigstore", "true"]]);
      expect((await ask()).token).toBe("of the agent");
      close();
    },
  );

  test("no identity yet, and other failures: an outage, and what to do", async () => {
    let said: Buffer | { code: number } = { code: 7 };
    const { close } = await agent(() => said);
    await expect(ask({ provider: "spiffe" })).rejects.toMatchObject({
      code: "sign.token-unreachable",
      retry: "wait",
      message: expect.stringContaining("knows no identity"),
    });
    for (const answer of [{ code: 14 }, Buffer.alloc(0), Buffer.of(0xff), Buffer.of(0x0a, 0x7f, 1), wire(1, wire(1, Buffer.from("x")))]) {
      said = answer;
      const failure = await ask({ provider: "spiffe" }).catch((error: Error) => error);
      expect(failure).toMatchObject({ code: "sign.token-unreachable", retry: "wait" });
      expect((failure as Error).message).not.toContain("canary");
    }
    close();
  });

  test("nobody at the socket", async () => {
    await expect(ask({ provider: "spiffe" })).rejects.toMatchObject({ code: "sign.token-unreachable", retry: "wait" });
  });

  test("an abort is prompt", async () => {
    const stop = new AbortController();
    const { close } = await agent(() => {
      stop.abort(new Error("stopped"));
      return Buffer.alloc(0);
    });
    const tokens = identityTokens({ http: net, env: {}, provider: "spiffe", places: nowhere() });
    await expect(tokens({ signal: stop.signal })).rejects.toThrow("stopped");
    close();
  });
});
