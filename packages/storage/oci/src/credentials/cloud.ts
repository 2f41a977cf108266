import { readFile } from "node:fs/promises";
import { CountersignError } from "@countersign/core";
import { type Http, type HttpRequest, type HttpResponse, isOutage } from "@countersign/http";

/** What a cloud's way to its registry may use. */
export interface CloudOptions {
  /** The variables that the cloud's webhook puts into the pod. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The way to the cloud's services. */
  readonly http: Http;
  /** The way to the metadata server beside the node: never through a proxy. */
  readonly metadata: Http;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Something that serves for a while. */
export interface Lent<T> {
  readonly value: T;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** A cloud that gives no credentials. `hint` says what to look at. */
export const cloudError = (cloud: string, what: string, hint: string, outage: boolean, cause?: unknown): CountersignError =>
  new CountersignError("store.cloud-credentials", `${cloud}: ${what}; ${hint}`, { retry: outage ? "wait" : "counted", cause });

/** Long enough for a cold metadata server, short enough for a worker. */
const totalMs = 10_000;

/** One question to a cloud's service; any answer but 200 is an error that names the service, the status and the code, and nothing else. */
export async function answered(
  http: Http,
  request: Pick<HttpRequest, "method" | "url" | "headers" | "body">,
  { cloud, hint, signal }: { readonly cloud: string; readonly hint: string; readonly signal: AbortSignal },
): Promise<HttpResponse> {
  const { host } = new URL(request.url);
  let answer: HttpResponse;
  try {
    answer = await http.request({ ...request, signal, totalMs, tries: 3, maxBytes: 256 * 1024 });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw cloudError(cloud, `no answer from ${host}`, hint, isOutage(cause), cause);
  }
  if (answer.status === 200) return answer;
  const code = codeIn(Buffer.from(answer.body).toString("utf8"));
  throw cloudError(cloud, `${host} answered ${answer.status}${code ? ` ${code}` : ""}`, hint, isOutage(answer.status));
}

/** `<Code>AccessDenied</Code>`, `"__type":"…#AccessDeniedException"`, `"error":"invalid_client"`: a word, never a sentence. */
function codeIn(text: string): string | undefined {
  return /<Code>(\w{1,60})<\/Code>|"__type"\s*:\s*"(?:[\w.]+#)?(\w{1,60})"|"error"\s*:\s*"(\w{1,60})"/.exec(text)?.slice(1).find(Boolean);
}

/** The members of a JSON answer. */
export function membersOf({ body }: HttpResponse): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // The text may hold a token: it is not repeated.
  }
  return {};
}

/** A token that the kubelet keeps fresh in a file. */
export async function tokenIn(file: string, cloud: string, hint: string): Promise<string> {
  try {
    const token = (await readFile(file, "utf8")).trim();
    if (token) return token;
  } catch (cause) {
    throw cloudError(cloud, `the token file ${file} cannot be read`, hint, false, cause);
  }
  throw cloudError(cloud, `the token file ${file} is empty`, hint, false);
}

/** The variables by name, or an error that names the missing ones. */
export function variables<N extends string>(
  env: CloudOptions["env"],
  names: readonly N[],
  cloud: string,
  hint: string,
): Readonly<Record<N, string>> {
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0) throw cloudError(cloud, `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set`, hint, false);
  return Object.fromEntries(names.map((name) => [name, env[name] ?? ""])) as Record<N, string>;
}
