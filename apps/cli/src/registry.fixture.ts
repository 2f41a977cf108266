import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface TestRegistry extends AsyncDisposable {
  /** "127.0.0.1:port". */
  readonly host: string;
  /** "repository:tag" to the manifest's bytes. */
  readonly manifests: Map<string, Buffer>;
}

/** A registry in memory, as far as cosign's tags need one. `refuse` answers for everything when it is set. */
export async function testRegistry(refuse?: { readonly status: number; readonly body: string }): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://registry");
    const body = await buffer(request);
    const answer = (status: number, headers: Record<string, string> = {}, bytes: Buffer | string = ""): void => {
      response.writeHead(status, headers).end(request.method === "HEAD" ? "" : bytes);
    };
    if (refuse) return answer(refuse.status, {}, refuse.body);
    if (pathname === "/v2/") return answer(200);
    const [, repository = "", what = "", name = ""] = /^\/v2\/(.+?)\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? [];
    if (request.method === "POST" && what === "blobs") {
      const digest = searchParams.get("digest") ?? "";
      blobs.set(digest, body);
      return answer(digest === digestOf(body) ? 201 : 400);
    }
    if (request.method === "PUT" && what === "manifests") {
      manifests.set(`${repository}:${name}`, body);
      manifests.set(`${repository}:${digestOf(body)}`, body);
      return answer(201);
    }
    const bytes = what === "manifests" ? manifests.get(`${repository}:${name}`) : blobs.get(name);
    if (!bytes) return answer(404);
    const type = what === "manifests" ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream";
    answer(200, { "content-type": type, "docker-content-digest": digestOf(bytes) }, bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    manifests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
