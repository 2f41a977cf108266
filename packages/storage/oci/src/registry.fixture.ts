import { createHash } from "node:crypto";
import type { Http, HttpRequest, HttpResponse } from "@countersign/http";

export interface MemoryRegistry extends Http {
  /** "GET registry.example/v2/a/manifests/x", in order. */
  readonly seen: string[];
  /** "registry.example/team/app/<tag or digest>". */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Uint8Array }>;
  /** "registry.example/team/app/<digest>". */
  readonly blobs: Map<string, Uint8Array>;
  /** It has the Referrers API. Default false. */
  referrersApi: boolean;
  /** Has the first word on each request; what it answers is the answer. */
  before: (line: string, request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>;
}

interface Manifest {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export const answer = (status: number, body: Uint8Array | string = "", headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers,
  body: Buffer.from(body),
});

/** All registries of the world as an Http: manifests, tags and blobs in memory, each request a few turns of the event loop long. */
export function memoryRegistry(): MemoryRegistry {
  const seen: string[] = [];
  const manifests = new Map<string, { type: string; bytes: Uint8Array }>();
  const blobs = new Map<string, Uint8Array>();

  function manifest({ method, headers, body = "" }: HttpRequest, repository: string, name: string): HttpResponse {
    const bytes = Buffer.from(body);
    if (method === "PUT") {
      const { config, layers = [], subject } = JSON.parse(bytes.toString()) as Manifest;
      if ([...(config ? [config] : []), ...layers].some(({ digest }) => !blobs.has(`${repository}/${digest}`)))
        return answer(400, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}');
      for (const key of [name, digestOf(bytes)]) manifests.set(`${repository}/${key}`, { type: headers?.["content-type"] ?? "", bytes });
      return answer(201, "", registry.referrersApi && subject ? { "oci-subject": subject.digest } : {});
    }
    const known = manifests.get(`${repository}/${name}`);
    if (!known) return answer(404);
    const about = { "content-type": known.type, "content-length": `${known.bytes.length}`, "docker-content-digest": digestOf(known.bytes) };
    return answer(200, method === "HEAD" ? "" : known.bytes, about);
  }

  function blob({ method, body = "" }: HttpRequest, url: URL, repository: string, name: string): HttpResponse {
    if (method !== "POST") return blobs.has(`${repository}/${name}`) ? answer(200, blobs.get(`${repository}/${name}`)) : answer(404);
    const bytes = Buffer.from(body);
    if (url.searchParams.get("digest") !== digestOf(bytes)) return answer(400);
    blobs.set(`${repository}/${digestOf(bytes)}`, bytes);
    return answer(201);
  }

  function referrers(repository: string, digest: string): HttpResponse {
    if (!registry.referrersApi) return answer(404);
    const listed = [...manifests].flatMap(([key, { type, bytes }]) => {
      const { subject, artifactType, annotations } = JSON.parse(bytes.toString()) as Manifest;
      const named = key.startsWith(`${repository}/sha256:`) && subject?.digest === digest;
      return named ? [{ mediaType: type, size: bytes.length, digest: digestOf(bytes), artifactType, annotations }] : [];
    });
    return answer(200, JSON.stringify({ schemaVersion: 2, manifests: listed }), {
      "content-type": "application/vnd.oci.image.index.v1+json",
    });
  }

  const registry: MemoryRegistry = {
    referrersApi: false,
    seen,
    manifests,
    blobs,
    before: () => undefined,
    async request(request) {
      const url = new URL(request.url);
      const line = `${request.method ?? "GET"} ${url.host}${url.pathname}`;
      request.signal.throwIfAborted();
      seen.push(line);
      await new Promise((resolve) => setImmediate(resolve));
      const said = await abortable(registry.before(line, request), request.signal);
      if (said) return said;
      const [, path = "", what, name = ""] = /^\/v2\/(.+?)\/(manifests|blobs|referrers)\/(.*)$/.exec(url.pathname) ?? [];
      if (what === "manifests") return manifest(request, `${url.host}/${path}`, name);
      if (what === "referrers") return referrers(`${url.host}/${path}`, name);
      if (what === "blobs") return blob(request, url, `${url.host}/${path}`, name);
      return answer(200);
    },
    stream: () => Promise.reject(new Error("not needed")),
    close: async () => undefined,
  };
  return registry;
}

async function abortable<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener("abort", onAbort));
}
