import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface FakeRegistryOptions {
  readonly auth?: "none" | "basic" | "bearer";
  /** User to password and what the user may do. */
  readonly users?: Readonly<Record<string, { readonly password: string; readonly may: readonly ("pull" | "push")[] }>>;
  /** What somebody without a name may do. */
  readonly anonymous?: readonly ("pull" | "push")[];
  /** Takes a blob in one POST. */
  readonly monolithic?: boolean;
  readonly referrersApi?: boolean;
  /** Says that it lists a referrer (OCI-Subject). Default: where it has the API. */
  readonly saysSubject?: boolean;
  /** Gives ETags, and minds If-Match. */
  readonly etags?: boolean;
  /** Leaves out the headers of a manifest that the specification does not demand. */
  readonly terse?: boolean;
  /** Has the first word on each request; true: it has answered. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean | undefined;
}

export interface FakeRegistry {
  /** "127.0.0.1:5000". */
  readonly host: string;
  /** "GET /v2/a/manifests/x", in order. */
  readonly seen: string[];
  /** Of each request that carried one. */
  readonly authorizations: string[];
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  readonly blobs: Map<string, Buffer>;
  close(): void;
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A working registry in memory: manifests, blobs, tags, referrers, Basic and Bearer challenges with a token service of its own. */
export async function fakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const { auth = "none", users = {}, anonymous = [], monolithic = true, referrersApi = true, before } = options;
  const { saysSubject = referrersApi, etags = false, terse = false } = options;
  const seen: string[] = [];
  const authorizations: string[] = [];
  const manifests = new Map<string, { type: string; bytes: Buffer }>();
  const blobs = new Map<string, Buffer>();
  const tokens = new Map<string, { repository: string; actions: readonly string[] }>();
  let host = "";

  const userOf = (header: string | undefined): { may: readonly string[] } | undefined | "wrong" => {
    if (!header?.startsWith("Basic ")) return undefined;
    const [name = "", password] = Buffer.from(header.slice(6), "base64").toString().split(":");
    const user = users[name];
    return user && user.password === password ? user : "wrong";
  };

  function grant(request: IncomingMessage, response: ServerResponse, url: URL, form: URLSearchParams): void {
    const asked = form.get("scope") ?? url.searchParams.get("scope") ?? "";
    const [, repository = "", actions = ""] = /^repository:(.*):([a-z,]+)$/.exec(asked) ?? [];
    const refreshed = form.get("refresh_token") === "refresh-me" ? { may: ["pull", "push"] } : undefined;
    const user = form.has("refresh_token") ? (refreshed ?? "wrong") : userOf(request.headers.authorization);
    if (user === "wrong") return void response.writeHead(401).end("{}");
    const may = user?.may ?? anonymous;
    const text = `t${tokens.size}`;
    tokens.set(text, { repository, actions: actions.split(",").filter((action) => may.includes(action)) });
    response.end(JSON.stringify({ token: text, expires_in: 300 }));
  }

  function mayPass(request: IncomingMessage, repository: string, action: "pull" | "push"): true | number {
    if (auth === "none") return true;
    const header = request.headers.authorization;
    if (auth === "basic") {
      const user = userOf(header);
      if (user === "wrong") return 401;
      if (user === undefined) return anonymous.includes(action) ? true : 401;
      return user.may.includes(action) ? true : 403;
    }
    const token = tokens.get((header ?? "").replace("Bearer ", ""));
    return token?.repository === repository && token.actions.includes(action) ? true : 401;
  }

  function refuse(response: ServerResponse, status: number, code: string): void {
    if (status === 401)
      response.setHeader(
        "www-authenticate",
        auth === "basic" ? 'Basic realm="x"' : `Bearer realm="http://${host}/token",service="fake, really"`,
      );
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ errors: [{ code, message: "s3cret text" }] }));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const url = new URL(request.url ?? "/", `http://${host}`);
    seen.push(`${request.method} ${url.pathname}`);
    if (request.headers.authorization) authorizations.push(request.headers.authorization);
    if (before?.(request, response)) return;
    if (url.pathname === "/token") return grant(request, response, url, new URLSearchParams(body.toString()));
    if (url.pathname === "/v2/")
      return auth === "none" || request.headers.authorization ? void response.end("{}") : refuse(response, 401, "UNAUTHORIZED");
    const [, repository = "", what, rest = ""] = /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    const writes = ["PUT", "POST", "PATCH"].includes(request.method ?? "");
    const passed = mayPass(request, repository, writes ? "push" : "pull");
    if (passed !== true) return refuse(response, passed, passed === 401 ? "UNAUTHORIZED" : "DENIED");
    if (what === "manifests") return manifest(request, response, repository, rest, body);
    if (what === "blobs") return blob(request, response, url, repository, rest, body);
    if (what === "tags") return tags(response, url, repository);
    if (what === "referrers" && referrersApi) return referrers(response, repository, rest);
    refuse(response, 404, "UNSUPPORTED");
  }

  function manifest(request: IncomingMessage, response: ServerResponse, repository: string, name: string, bytes: Buffer): void {
    if (request.method === "PUT") {
      const there = manifests.get(`${repository}/${name}`);
      const wanted = request.headers["if-match"];
      if (etags && wanted && wanted !== `"${digestOf(there?.bytes ?? Buffer.alloc(0))}"`) return void refuse(response, 412, "DENIED");
      const kept = { type: request.headers["content-type"] ?? "", bytes };
      manifests.set(`${repository}/${name}`, kept);
      manifests.set(`${repository}/${digestOf(bytes)}`, kept);
      const { subject } = JSON.parse(bytes.toString() || "{}") as { subject?: { digest: string } };
      const said = saysSubject && subject ? { "oci-subject": subject.digest } : {};
      return void response.writeHead(201, { "docker-content-digest": digestOf(bytes), ...said }).end();
    }
    const known = manifests.get(`${repository}/${name}`);
    if (!known) return void refuse(response, 404, "MANIFEST_UNKNOWN");
    const about = { "docker-content-digest": digestOf(known.bytes), "content-length": known.bytes.length };
    const tag = etags ? { etag: `"${digestOf(known.bytes)}"` } : {};
    response.writeHead(200, { "content-type": known.type, ...(!terse && about), ...tag });
    response.end(request.method === "HEAD" ? undefined : known.bytes);
  }

  function blob(request: IncomingMessage, response: ServerResponse, url: URL, repository: string, name: string, bytes: Buffer): void {
    const digest = url.searchParams.get("digest");
    if (request.method === "POST" && digest && monolithic) {
      blobs.set(`${repository}/${digestOf(bytes)}`, bytes);
      return void response.writeHead(digest === digestOf(bytes) ? 201 : 400).end();
    }
    if (request.method === "POST")
      return void response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/1?_state=a%2Bb` }).end();
    if (request.method === "PUT") {
      blobs.set(`${repository}/${digestOf(bytes)}`, bytes);
      return void response.writeHead(digest === digestOf(bytes) && url.searchParams.get("_state") === "a+b" ? 201 : 400).end();
    }
    const known = blobs.get(`${repository}/${name}`);
    if (!known) return void refuse(response, 404, "BLOB_UNKNOWN");
    response.end(request.method === "HEAD" ? undefined : known);
  }

  /** Two to a page, so that somebody turns pages. */
  function tags(response: ServerResponse, url: URL, repository: string): void {
    const all = [...manifests.keys()].filter((key) => key.startsWith(`${repository}/`) && !key.includes("sha256:"));
    const names = all.map((key) => key.slice(repository.length + 1)).sort();
    const start = names.indexOf(url.searchParams.get("last") ?? "") + 1;
    const page = names.slice(start, start + 2);
    if (start + 2 < names.length) response.setHeader("link", `</v2/${repository}/tags/list?last=${page.at(-1)}>; rel="next"`);
    response.end(JSON.stringify({ name: repository, tags: page }));
  }

  function referrers(response: ServerResponse, repository: string, digest: string): void {
    const found = [...manifests].flatMap(([key, { type, bytes }]) => {
      const { subject, artifactType } = JSON.parse(bytes.toString()) as { subject?: { digest: string }; artifactType?: string };
      const match = key.startsWith(`${repository}/sha256:`) && subject?.digest === digest;
      return match ? [{ mediaType: type, size: bytes.length, digest: digestOf(bytes), artifactType }] : [];
    });
    response.setHeader("content-type", "application/vnd.oci.image.index.v1+json");
    response.end(JSON.stringify({ schemaVersion: 2, manifests: found }));
  }

  const server = createServer((request, response) => void answer(request, response));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { host, seen, authorizations, manifests, blobs, close };
}
