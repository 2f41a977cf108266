import type { HttpRequest, HttpResponse } from "./exchange.ts";
import { HttpError } from "./fault.ts";
import { placeOf } from "./redact.ts";

/** Follows as many redirects as the request allows. Credentials never leave the first origin, and TLS is never given up on the way. */
export async function followed(request: HttpRequest, once: (request: HttpRequest) => Promise<HttpResponse>): Promise<HttpResponse> {
  let step = request;
  for (let left = request.redirects ?? 0; ; left -= 1) {
    const response = await once(step);
    const location = response.headers["location"];
    const { method = "GET" } = request;
    const redirects = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined && ["GET", "HEAD"].includes(method);
    if (left <= 0 || !redirects) return response;
    step = towards(location, step);
  }
}

function towards(location: string, step: HttpRequest): HttpRequest {
  const from = new URL(step.url);
  if (!URL.canParse(location, from.href))
    throw new HttpError("refused-host", `GET ${placeOf(from)}: redirects to something that is no URL`);
  const to = new URL(location, from);
  if (!["https:", "http:"].includes(to.protocol) || (from.protocol === "https:" && to.protocol === "http:"))
    throw new HttpError(
      "refused-host",
      `GET ${placeOf(from)}: redirects from ${from.protocol.slice(0, -1)} to ${to.protocol.slice(0, -1)}, which is not followed`,
    );
  if (to.origin === from.origin) return { ...step, url: to };
  const headers = Object.fromEntries(Object.entries(step.headers ?? {}).filter(([name]) => !credentials.has(name.toLowerCase())));
  return { ...step, url: to, headers };
}

const credentials: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "host"]);
