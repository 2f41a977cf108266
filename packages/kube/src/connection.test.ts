import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpError, http } from "@countersign/http";
import { afterEach, expect, test } from "vitest";
import { type ConnectionOptions, type KubeConnection, type KubeRequest, kubeConnection } from "./connection.ts";
import type { KubeCredentials } from "./credentials.ts";
import { KubeError } from "./kube-error.ts";

const canary = "canary-of-a-response-body";
let connection: KubeConnection | undefined;
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

interface More {
  readonly tokens?: readonly string[];
  readonly options?: ConnectionOptions;
  readonly path?: string;
  /** Of each renewal. */
  readonly cas?: readonly string[];
}
interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
type Answer = (seen: Seen, response: ServerResponse) => void;

async function connected(answer: Answer, more: More = {}) {
  const seen: Seen[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const one = { url: request.url ?? "", method: request.method ?? "", headers: request.headers, body };
    seen.push(one);
    answer(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { tokens = ["first"], options = {}, path = "", cas = ["same"] } = more;
  let at = -1;
  const credentials: KubeCredentials = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    namespace: "mine",
    async tls() {
      at++;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { ca: cas[Math.min(at, cas.length - 1)] ?? "" };
    },
    headers: async () => ({ authorization: `Bearer ${tokens[Math.min(at, tokens.length - 1)]}` }),
  };
  connection = await kubeConnection(credentials, options);
  toClose.push(
    connection.close,
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { connection, seen, renewals: () => at };
}
const signal = new AbortController().signal;
const path = "/apis/tekton.dev/v1/namespaces/ci/taskruns/build";
const get: KubeRequest = { verb: "get", resource: "taskruns", path, signal };
const watch: KubeRequest = { ...get, verb: "watch", query: { watch: 1 } };
const status = (response: ServerResponse, code: number, more: object = {}, headers = {}) =>
  response
    .writeHead(code, { "content-type": "application/json", ...headers })
    .end(JSON.stringify({ kind: "Status", code, message: canary, ...more }));
const failure = (promise: Promise<unknown>): Promise<KubeError> =>
  promise.then(
    () => Promise.reject(new Error("no failure")),
    (error) => error as KubeError,
  );
async function told(request: KubeRequest): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of (await connection?.lines(request)) ?? []) lines.push(line);
  return lines;
}

test("method, path, query, headers and body of a request; the answer as text", async () => {
  const { connection, seen } = await connected((_, response) => response.end('{"a": 1.50}'), { path: "/prefix" });
  const body = { metadata: { annotations: { a: "ü" } } };
  const query = { force: false, fieldManager: "a/b", none: undefined };
  const text = await connection.request({ ...get, verb: "patch", query, body, contentType: "application/apply-patch+yaml" });
  expect(text).toBe('{"a": 1.50}');
  expect(seen[0]).toMatchObject({
    method: "PATCH",
    url: `/prefix${path}?force=false&fieldManager=a%2Fb`,
    body: JSON.stringify(body),
    headers: {
      accept: "application/json",
      authorization: "Bearer first",
      "content-type": "application/apply-patch+yaml",
      "user-agent": "countersign",
    },
  });
  expect([connection.namespace, connection.server]).toEqual(["mine", expect.stringMatching(/^http:\/\/127.*prefix$/)]);
});

test("401: fresh credentials once, and the question again; the same certificates need no new wire", async () => {
  let wires = 0;
  const httpFrom: ConnectionOptions["httpFrom"] = ({ ca: _, ...options }) => {
    wires++;
    return http(options);
  };
  const { connection, seen, renewals } = await connected(
    ({ headers }, response) => (headers.authorization === "Bearer second" ? response.end("{}") : status(response, 401)),
    { tokens: ["first", "second"], options: { httpFrom } },
  );
  expect(await connection.request(get)).toBe("{}");
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer first", "Bearer second"]);
  await connection.request(get);
  expect([seen.length, renewals(), wires]).toEqual([3, 1, 1]);
});

test("many that are refused at once renew once; a watch is let in the same way", async () => {
  const { connection, renewals } = await connected(
    ({ headers }, response) => (headers.authorization === "Bearer second" ? response.end('{"n":1}\n') : status(response, 401)),
    { tokens: ["first", "second"] },
  );
  const all = await Promise.all([...Array.from({ length: 8 }, () => connection.request(get)), told(watch)]);
  expect(all).toHaveLength(9);
  expect(all.at(-1)).toEqual(['{"n":1}']);
  expect(renewals()).toBe(1);
});

test("new certificates: a new wire, and the old one is closed", async () => {
  const made: string[] = [];
  const closed: string[] = [];
  const httpFrom: ConnectionOptions["httpFrom"] = ({ ca = "", ...options }) => {
    made.push(ca);
    const wire = http(options);
    const close = () => {
      closed.push(ca);
      return wire.close();
    };
    return { ...wire, close };
  };
  const { connection } = await connected(
    ({ headers }, response) => (headers.authorization === "Bearer second" ? response.end("{}") : status(response, 401)),
    { tokens: ["first", "second"], cas: ["CA", "CB"], options: { httpFrom } },
  );
  await connection.request(get);
  expect([made, closed]).toEqual([["CA", "CB"], ["CA"]]);
});

test("a watch that is refused is left: its connection does not stay open", async () => {
  let left = 0;
  const { connection } = await connected(
    ({ headers }, response) => {
      if (headers.authorization === "Bearer second") return void response.end("\n");
      response.on("close", () => left++);
      response.writeHead(401).write("{");
    },
    { tokens: ["first", "second"] },
  );
  await connection.lines(watch);
  await expect.poll(() => left, { timeout: 500 }).toBe(1);
});

test("401 again: refused, in one sentence, without a third question", async () => {
  const { connection, seen } = await connected((_, response) => status(response, 401, { reason: "Unauthorized" }));
  const error = await failure(connection.request(get));
  expect(error).toBeInstanceOf(KubeError);
  expect(error.message).toMatch(/does not know us \(401 Unauthorized for get \/apis\/.*check the token/);
  expect(seen).toHaveLength(2);
});

test("403 names the verb, the resource and what to do; a body is never in a message", async () => {
  const { connection } = await connected((_, response) => status(response, 403, { reason: "Forbidden" }));
  const error = await failure(connection.request({ ...get, verb: "patch" }));
  expect(error.message).toMatch(/does not allow verb "patch" on taskruns \(403 Forbidden for .*grant it in the controller's role/);
  expect([error.code, error.status.reason]).toEqual([403, "Forbidden"]);
  expect(error.message).not.toContain(canary);
  expect((await failure(connection.lines(watch))).message).toMatch(/verb "watch" on taskruns/);
});

test.each([
  ["a Status with a sentence for a reason", JSON.stringify({ reason: `${canary} and more` })],
  ["a page of a proxy", `<html>${canary}</html>`],
  ["no JSON after all", `{"reason":"${canary}`],
  ["JSON of another shape", JSON.stringify([canary])],
  ["nothing", ""],
])("%s: only the code is told", async (_what, body) => {
  const { connection } = await connected((_, response) => void response.writeHead(502).end(body));
  for (const asked of [connection.request(get), connection.lines(watch)]) {
    const error = await failure(asked);
    expect(error.message).toBe(`the API server answered 502 to ${error.message.includes("watch") ? "watch" : "get"} ${path}`);
  }
});

test.each([
  ["header", { "retry-after": "7" }, {}, 7_000],
  ["body", {}, { details: { retryAfterSeconds: 3 } }, 3_000],
  ["body over header", { "retry-after": "7" }, { details: { retryAfterSeconds: 3 } }, 3_000],
  ["neither", {}, {}, undefined],
  ["nonsense", { "retry-after": "soon" }, { details: { retryAfterSeconds: "x" } }, undefined],
  ["zero", { "retry-after": "0" }, {}, undefined],
])("Retry-After: %s", async (_what, headers, body, wanted) => {
  const { connection } = await connected((_, response) => status(response, 429, body, headers));
  expect((await failure(connection.request(get))).status.retryAfterMs).toBe(wanted);
  expect((await failure(connection.lines(watch))).status.retryAfterMs).toBe(wanted);
});

test("lines end at LF only, whatever stands in strings, wherever the chunks are cut", async () => {
  const lines = ['{"s":"a\u2028b\u2029c\u0085d\r"}', '{"s":"ünïcödé 🎉"}', "", '{"s":"\\n"}'];
  const bytes = Buffer.from(`${lines.join("\n")}\n{"cut":`);
  for (const size of [1, 3, 7, bytes.length]) {
    await connected(async (_, response) => {
      for (let at = 0; at < bytes.length; at += size) {
        response.write(bytes.subarray(at, at + size));
        if (size > 1) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    expect(await told(watch)).toEqual(lines.filter((line) => line !== ""));
  }
});

test("a line without an end is not gathered for ever", async () => {
  await connected(
    (_, response) => {
      for (let n = 0; n < 64; n++) response.write("x".repeat(64 * 1024));
      response.end();
    },
    { options: { maxBytes: 1_000_000 } },
  );
  await expect(told(watch)).rejects.toMatchObject({ fault: "too-large" });
});

test("many lines may be more than the most for one", async () => {
  const line = "x".repeat(60);
  await connected(
    async (_, response) => {
      for (let n = 0; n < 30; n++) {
        response.write(`${line.slice(0, 40)}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
        response.write(`${line.slice(40)}\n`);
      }
      response.end();
    },
    { options: { maxBytes: 200 } },
  );
  expect(await told(watch)).toHaveLength(30);
});

test("a name that is a way up is no name", async () => {
  const { connection, seen } = await connected((_, response) => void response.end("{}"));
  for (const name of ["..", "."])
    expect((await failure(connection.request({ ...get, path: `/api/v1/namespaces/ci/secrets/${name}` }))).code).toBe(404);
  expect(seen).toEqual([]);
});

test("nobody answers: an HttpError, at once and without a second try", async () => {
  const { connection, seen } = await connected((_, response) => void response.destroy());
  await expect(connection.request(get)).rejects.toBeInstanceOf(HttpError);
  expect(seen).toHaveLength(1);
});

test("a silent watch ends after its time, one that is not opened as well", async () => {
  let open = true;
  await connected((_, response) => void (open && response.write('{"n":1}\n')));
  await expect(told({ ...watch, idleMs: 60 })).rejects.toMatchObject({ fault: "timeout" });
  open = false;
  await expect(told({ ...watch, idleMs: 60 })).rejects.toMatchObject({ fault: "timeout" });
});
