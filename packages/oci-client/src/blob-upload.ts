import type { HttpResponse } from "@countersign/http";
import { sha256Of } from "./manifest.ts";
import type { Repository } from "./reference.ts";
import { type Asked, refusalFrom, unsound } from "./registry-error.ts";
import type { Call, Step, Wire } from "./wire.ts";

export interface UploadOptions extends Pick<Wire, "originOf"> {
  readonly place: Repository;
  askedOf(operation: string, digest: string): Asked;
  send(step: Step): Promise<HttpResponse>;
  /** Of the credentials in use, for sentences. */
  source(): string;
  /** Registries that do not take a blob in one request; what is learnt is added. */
  readonly sessionOnly: Set<string>;
}

/** Their names come from users: memory must have an end. */
const maxRegistries = 1000;
/** How registries that do not know the one-request form may put it, when they do not just open a session. */
const wantsSession: ReadonlySet<number> = new Set([400, 404, 405, 411, 413, 415, 422, 501]);
const binary = { "content-type": "application/octet-stream" };

/** In one request where the registry takes that. A blob is named by its digest: to send it twice does no harm, so POST may be repeated. */
export function blobUpload({
  place,
  askedOf,
  send,
  source,
  originOf,
  sessionOnly,
}: UploadOptions): (bytes: Uint8Array, call: Call) => Promise<string> {
  return async (bytes: Uint8Array, { signal }: Call): Promise<string> => {
    const digest = sha256Of(bytes);
    const asked = askedOf("PUT blob", digest);
    const uploads = `/v2/${place.repository}/blobs/uploads/`;
    const post = (query: string, body: Uint8Array | string): Promise<HttpResponse> =>
      send({ ...asked, signal, method: "POST", url: `${uploads}${query}`, headers: binary, body, tries: 3 });
    const atOnce = sessionOnly.has(place.registry) ? undefined : await post(`?digest=${digest}`, bytes);
    if (atOnce?.status === 201) return digest;
    if (atOnce && atOnce.status !== 202 && !wantsSession.has(atOnce.status)) throw refusalFrom(asked, atOnce, source());
    const started = atOnce?.status === 202 ? atOnce : await post("", "");
    const session = started.headers["location"];
    if (started.status !== 202 || session === undefined) throw refusalFrom(asked, started, source());
    if (sessionOnly.size >= maxRegistries) sessionOnly.clear();
    sessionOnly.add(place.registry);
    const origin = await originOf(place.registry, { ...asked, signal });
    const url = sessionUrl(session, digest, origin, asked);
    const answer = await send({ ...asked, signal, method: "PUT", url, headers: binary, body: bytes, tries: 1 });
    if (answer.status !== 201) throw refusalFrom(asked, answer, source());
    return digest;
  };
}

/** A registry behind a proxy that ends TLS often names itself with http: that is not followed, credentials would travel in the clear. */
function sessionUrl(location: string, digest: string, origin: string, asked: Asked): string {
  if (!URL.canParse(location, origin)) throw unsound(asked, "the registry names no usable place for the upload");
  const url = new URL(location, origin);
  if (url.host === new URL(origin).host) url.protocol = new URL(origin).protocol;
  if (origin.startsWith("https:") && url.protocol !== "https:")
    throw unsound(asked, `the registry wants the upload sent to ${url.host} without TLS`);
  return `${url.origin}${url.pathname}${url.search}${url.search ? "&" : "?"}digest=${digest}`;
}
