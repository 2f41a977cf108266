import { request as plain } from "node:http";
import { request as secure } from "node:https";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON, of the shape the caller trusts it to have; throws when it is none. */
  json<T = Readonly<Record<string, unknown>>>(): T;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | undefined;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  /** PEM of whom to trust. */
  readonly ca?: string | undefined;
  readonly signal?: AbortSignal;
}

/** One request without any cleverness: no retry, no redirect, no shared connection. */
export function request(url: string, ask: Ask = {}): Promise<Answer> {
  const send = url.startsWith("https:") ? secure : plain;
  const body = ask.body === undefined || typeof ask.body === "string" ? ask.body : JSON.stringify(ask.body);
  const headers: Record<string, string> = { ...(body === undefined ? {} : { "content-type": "application/json" }), ...ask.headers };
  // Without it, Node sends the body of a DELETE with no frame around it.
  if (body !== undefined) headers["content-length"] = `${Buffer.byteLength(body)}`;
  if (ask.token !== undefined) headers["authorization"] = `Bearer ${ask.token}`;
  return new Promise((resolve, reject) => {
    const options = {
      method: ask.method ?? "GET",
      headers,
      agent: false,
      ...(ask.ca ? { ca: ask.ca } : {}),
      ...(ask.signal ? { signal: ask.signal } : {}),
    };
    const outgoing = send(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
