import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { type Attestation, CountersignError } from "@countersign/core";
import { type HttpOptions, hostPolicy, http } from "@countersign/http";
import { type CredentialSource, type OciOptions, ociStorage } from "@countersign/storage-oci";
import { anAttestation, localhostTls, registry } from "@countersign/testing";
import { afterEach, describe, expect, test } from "vitest";

/** Registries that want to be more than they are: to lead us elsewhere, to get credentials that are not theirs, to keep us for ever. */
const password = "canary-passw0rd-1c9e";
const basic = Buffer.from(`pusher:${password}`).toString("base64");
const credentials: CredentialSource = async () => [{ kind: "basic", username: "pusher", password, source: "secret ci/push" }];

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** A server of our own making; everything it was asked. */
async function serving(listener: RequestListener, tls?: typeof localhostTls): Promise<{ readonly host: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const heard: RequestListener = async (request, response) => {
    for await (const _ of request);
    seen.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers });
    listener(request, response);
  };
  const server: Server = tls ? createTlsServer(tls, heard) : createServer(heard);
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const totalMs = 1_500;

function storageAt(more: Partial<OciOptions> = {}, way: HttpOptions = {}): ReturnType<typeof ociStorage> {
  const wire = http({ env: {}, backOffMs: () => 1, hostPolicy: hostPolicy({ allowLoopback: true }), ...way });
  cleanUp.push(() => wire.close());
  return ociStorage({ http: wire, credentials, layout: "tags", totalMs, lookAfterMs: () => 1, ...more });
}

/** The error of a store, which is typed, in time, and without a secret. */
async function failure(storage: ReturnType<typeof ociStorage>, attestation: Attestation): Promise<CountersignError> {
  const start = performance.now();
  const error: unknown = await storage.store(attestation, { signal: AbortSignal.timeout(30_000) }).then(
    (at) => expect.fail(`stored at ${at.uris}`),
    (error) => error,
  );
  expect(performance.now() - start).toBeLessThan(totalMs + 1_000);
  const told = inspect(error, { depth: 20, maxStringLength: null });
  for (const secret of [password, basic, "s3cret-token", "canary-body"]) expect(told).not.toContain(secret);
  if (!CountersignError.is(error)) return expect.fail(told);
  expect(error.message).toMatch(/^\S.{20,500}$/);
  return error;
}
const at = (host: string): Promise<Attestation> => anAttestation({ repository: `${host}/team/app` });

describe("redirects", () => {
  test.each([301, 302, 307, 308])("%i of an API request leads nowhere, neither reading nor writing", async (status) => {
    const evil = await serving((_, response) => response.writeHead(200).end("{}"));
    for (const method of ["GET", "POST", "PUT"]) {
      const { host } = await serving((request, response) => {
        if (request.url === "/v2/") return response.end("{}");
        if (request.method === method)
          return response.writeHead(status, { location: `http://${evil.host}${request.url}` }).end("canary-body");
        return response.writeHead(request.method === "GET" ? 404 : 201).end();
      });
      expect(await failure(storageAt(), await at(host))).toMatchObject({ code: "store.registry-refused", retry: "counted" });
    }
    expect(evil.seen).toEqual([]);
  });

  test("a blob may lie elsewhere, and is fetched from there without credentials; not from the metadata service", async () => {
    const store = await registry({ auth: { scheme: "basic", users: { pusher: password } } });
    cleanUp.push(() => store.close());
    const depot = await serving((request, response) => response.writeHead(307, { location: `http://169.254.169.254${request.url}` }).end());
    let elsewhere = depot.host;
    const front = await serving(async (request, response) => {
      if (request.method === "GET" && request.url?.includes("/blobs/sha256"))
        return response.writeHead(307, { location: `http://${elsewhere}${request.url}`, "set-cookie": "a=b" }).end();
      const { authorization = "", accept = "*/*" } = request.headers;
      const answer = await fetch(`${store.url}${request.url}`, { headers: authorization ? { authorization, accept } : { accept } });
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
    });
    const attestation = await at(front.host);
    // Written straight, read through the front.
    const direct = storageAt({ repository: `${store.host}/team/app` });
    await direct.store(attestation, { signal: AbortSignal.timeout(30_000) });
    const where = { artifact: attestation.artifact, payload: attestation.payload, annotations: {} };
    // What cannot be had is left out: whoever looks for this layer finds nothing.
    expect(await storageAt().find?.(where, { signal: AbortSignal.timeout(30_000) })).toEqual([]);
    expect(depot.seen.length).toBeGreaterThan(0);
    for (const { headers } of depot.seen) expect([headers.authorization, headers.cookie]).toEqual([undefined, undefined]);
    const loop = await serving((request, response) => response.writeHead(302, { location: request.url ?? "" }).end());
    elsewhere = loop.host;
    await expect(storageAt().find?.(where, { signal: AbortSignal.timeout(30_000) })).rejects.toMatchObject({
      code: "store.registry-refused",
    });
    expect(loop.seen.length).toBeLessThan(5);
  });

  test("an upload may be asked for elsewhere, and gets no credentials there", async () => {
    const evil = await serving((_, response) => response.writeHead(201).end());
    const { host, seen } = await serving((request, response) => {
      if (!request.headers.authorization) return response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      if (request.url === "/v2/") return response.end("{}");
      if (request.method === "POST") return response.writeHead(202, { location: `http://${evil.host}/upload?x=1` }).end();
      return response.writeHead(404).end();
    });
    await failure(storageAt(), await at(host));
    expect(seen.some(({ headers }) => headers.authorization === `Basic ${basic}`)).toBe(true);
    expect(evil.seen.map(({ method }) => method)).toContain("PUT");
    expect(evil.seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });

  test("nor is it sent to the metadata service, or out of TLS", async () => {
    for (const [location, tls] of [
      ["http://169.254.169.254/latest/meta-data", undefined],
      ["http://[::ffff:169.254.169.254]/x", undefined],
      ["http://127.0.0.1:9/upload", localhostTls],
    ] as const) {
      const { host } = await serving((request, response) => {
        if (request.url === "/v2/") return response.end("{}");
        if (request.method === "POST") return response.writeHead(202, { location }).end();
        return response.writeHead(404).end();
      }, tls);
      const error = await failure(storageAt({}, tls ? { ca: tls.cert } : {}), await at(host));
      expect(error, location).toMatchObject({ code: "store.registry-refused", retry: "counted" });
    }
  });
});

describe("token services", () => {
  const asking =
    (realm: string): RequestListener =>
    (_, response) =>
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="x"` }).end('{"errors":[{"message":"canary-body"}]}');

  test.each([
    ["at the metadata service", "http://169.254.169.254/token", "store.registry-refused"],
    ["in a file", "file:///etc/passwd", "store.registry-refused"],
    ["that are no URL", "::", "store.registry-refused"],
    ["where nobody is", "http://127.0.0.1:9/token", "store.registry-unavailable"],
  ])("%s", async (_, realm, code) => {
    const { host, seen } = await serving(asking(realm));
    const error = await failure(storageAt(), await at(host));
    expect(error).toMatchObject({ code, retry: code === "store.registry-unavailable" ? "wait" : "counted" });
    expect(seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });

  test("without TLS, named by a registry with TLS: no credentials go there", async () => {
    const realm = await serving((_, response) => response.end('{"token":"s3cret-token"}'));
    const { host } = await serving(asking(`http://${realm.host}/token`), localhostTls);
    expect(await failure(storageAt({}, { ca: localhostTls.cert }), await at(host))).toMatchObject({
      code: "store.registry-refused",
      message: expect.stringContaining("without TLS"),
    });
    expect(realm.seen).toEqual([]);
  });

  test.each<[string, RequestListener, string]>([
    ["no JSON", (_, response) => response.end("canary-body"), "store.registry-refused"],
    ["a token with a line end", (_, response) => response.end('{"token":"s3cret-token\\r\\nx: y"}'), "store.registry-refused"],
    ["no end", (_, response) => void endless(response), "store.registry-refused"],
    ["silence", () => undefined, "store.registry-unavailable"],
    ["a refusal", (_, response) => response.writeHead(403).end("canary-body"), "store.registry-denied"],
    ["a failure", (_, response) => response.writeHead(503).end("canary-body"), "store.registry-unavailable"],
    ["a way elsewhere", (_, response) => response.writeHead(307, { location: "http://169.254.169.254/" }).end(), "store.registry-refused"],
  ])("that answer with %s", async (_, listener, code) => {
    const realm = await serving(listener);
    const { host } = await serving(asking(`http://${realm.host}/token`));
    expect(await failure(storageAt(), await at(host))).toMatchObject({ code });
    expect(realm.seen.length).toBeGreaterThan(0);
  });

  test("a token that the registry refuses all the same is asked for twice, no more; the refusal says what was asked for", async () => {
    const realm = await serving((_, response) => response.end('{"token":"s3cret-token"}'));
    const { host } = await serving(asking(`http://${realm.host}/token`));
    expect(await failure(storageAt(), await at(host))).toMatchObject({
      code: "store.registry-denied",
      retry: "counted",
      message: expect.stringMatching(/answered 401.* to secret ci\/push, asked for repository:team\/app:pull,push; these credentials must/),
    });
    expect(realm.seen.length).toBeLessThanOrEqual(2);
    expect(realm.seen[0]?.path).toBe("/token?service=x&scope=repository%3Ateam%2Fapp%3Apull%2Cpush");
  });
});

describe("names", () => {
  const resolving = (...answers: readonly string[]) => {
    const asked: string[] = [];
    const lookup: HttpOptions["lookup"] = (host, _, done) => {
      asked.push(host);
      done(null, [{ address: answers[Math.min(asked.length, answers.length) - 1] ?? "", family: 4 }]);
    };
    return { asked, lookup };
  };

  test("a name that is a registry first and the metadata service then: refused, whatever was said before", async () => {
    const store = await serving((request, response) => {
      response.setHeader("connection", "close");
      response.writeHead(request.url === "/v2/" ? 200 : 404).end();
    });
    const { asked, lookup } = resolving("127.0.0.1", "169.254.169.254");
    const host = `rebinding.example:${store.host.split(":")[1]}`;
    const error = await failure(storageAt({ insecure: true }, { lookup }), await at(host));
    expect(error).toMatchObject({
      code: "store.registry-refused",
      message: expect.stringMatching(/resolves to 169\.254\.169\.254, which is link-local/),
    });
    expect(asked.length).toBeGreaterThan(1);
  });

  test.each([
    ["169.254.169.254", {}],
    ["127.0.0.1", {}],
    ["10.0.0.1", { allowPrivate: false }],
    ["192.168.3.4", { allowPrivate: false, allow: ["192.168.4.0/24"] }],
  ])("%s under %j is refused before a connection", async (address, policy) => {
    const { lookup } = resolving(address);
    const storage = storageAt({ insecure: true }, { lookup, hostPolicy: hostPolicy(policy) });
    expect(await failure(storage, await at("registry.example:5000"))).toMatchObject({
      code: "store.registry-refused",
      retry: "counted",
      message: expect.stringContaining(`host registry.example is refused: it resolves to ${address}`),
    });
    expect(await failure(storageAt({ insecure: true }, { hostPolicy: hostPolicy(policy) }), await at(`${address}:5000`))).toMatchObject({
      code: "store.registry-refused",
    });
  });
});

/** As much as anybody takes. */
function endless(response: Parameters<RequestListener>[1]): void {
  if (response.destroyed) return;
  if (response.write(Buffer.alloc(16_384, "canary-body"))) setImmediate(endless, response);
  else response.once("drain", () => endless(response));
}
