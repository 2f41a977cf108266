import type { Http } from "@countersign/http";
import type { Challenge } from "./challenge.ts";
import { type Credential, fingerprintOf } from "./credential.ts";
import { oneFlight } from "./one-flight.ts";
import type { Repository } from "./reference.ts";
import { type Asked, refusalFrom, unanswered, unsound } from "./registry-error.ts";

export type Actions = "pull" | "pull,push";

export interface AuthorizationRequest extends Asked {
  readonly challenge: Challenge;
  readonly credential: Credential;
  readonly place: Repository;
  readonly actions: Actions;
  /** Where the challenge came from; a realm without TLS is accepted only where the registry has none either. */
  readonly origin: string;
  /** The token at hand was refused. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
}

export interface Authorizer {
  /** The Authorization header; undefined where this credential is no answer to this challenge. @throws RegistryError */
  header(request: AuthorizationRequest): Promise<string | undefined>;
}

const maxTokenBytes = 64 * 1024;
const maxTokens = 1000;

/**
 * Answers challenges (docs.docker.com/registry/spec/auth/token). Tokens are kept per registry, repository, actions and credential, so that
 * one namespace's token never serves another's request.
 */
export function authorizer({ http, insecure, totalMs, now = Date.now }: AuthorizerOptions): Authorizer {
  const tokens = new Map<string, Token>();
  const fetches = oneFlight<Token | undefined>();

  async function bearer(request: AuthorizationRequest): Promise<string | undefined> {
    const { credential, place, actions, fresh } = request;
    if (credential.kind === "registry-token") return fresh ? undefined : credential.token;
    const key = [place.registry, place.repository, actions, fingerprintOf(credential)].join(" ");
    const known = tokens.get(key);
    if (!fresh && known && known.until > now()) return known.text;
    tokens.delete(key);
    const token = await fetches(key, request.signal, () => fetched(request));
    if (!token) return undefined;
    if (tokens.size >= maxTokens) tokens.clear();
    tokens.set(key, token);
    return token.text;
  }

  async function fetched(request: AuthorizationRequest): Promise<Token | undefined> {
    const { challenge, credential, place, actions, signal } = request;
    if (challenge.kind !== "bearer") return undefined;
    const asked: Asked = { operation: "GET token for", reference: `${place.registry}/${place.repository}` };
    const realm = realmOf(challenge.realm, request);
    const scope = `repository:${place.repository}:${actions}`;
    const service = challenge.service === undefined ? {} : { service: challenge.service };
    const form = credential.kind === "identity-token" ? refreshForm(credential.token, { ...service, scope }) : undefined;
    if (!form) for (const [name, value] of Object.entries({ ...service, scope })) realm.searchParams.set(name, value);
    const answer = await http
      .request({
        url: realm,
        method: form ? "POST" : "GET",
        headers: { ...(form && { "content-type": "application/x-www-form-urlencoded" }), ...basicHeader(credential) },
        ...(form && { body: form }),
        tries: 3,
        totalMs,
        maxBytes: maxTokenBytes,
        signal,
      })
      .catch((error) => Promise.reject(unanswered(asked, error)));
    if (answer.status === 200) return tokenFrom(answer.body, asked, now());
    if ([400, 401, 403].includes(answer.status)) return undefined;
    throw refusalFrom(asked, answer, credential.source);
  }

  function realmOf(text: string, { origin, operation, reference }: AuthorizationRequest): URL {
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (!realm || !["https:", "http:"].includes(realm.protocol))
      throw unsound({ operation, reference }, "the registry names no usable token service");
    if (realm.protocol === "http:" && !insecure && !origin.startsWith("http:"))
      throw unsound({ operation, reference }, `the registry wants credentials sent to ${realm.host} without TLS, which is refused`);
    return realm;
  }

  return {
    async header(request) {
      if (request.challenge.kind === "basic") return basicHeader(request.credential).authorization;
      const token = await bearer(request);
      return token && `Bearer ${token}`;
    },
  };
}

export interface AuthorizerOptions {
  readonly http: Http;
  readonly insecure: boolean;
  readonly totalMs: number;
  readonly now?: () => number;
}

interface Token {
  readonly text: string;
  readonly until: number;
}

function basicHeader(credential: Credential): { authorization?: string } {
  if (credential.kind !== "basic") return {};
  return { authorization: `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}` };
}

const refreshForm = (token: string, more: Readonly<Record<string, string>>): string =>
  new URLSearchParams({ grant_type: "refresh_token", client_id: "countersign", refresh_token: token, ...more }).toString();

/** Sixty seconds where nothing is said; a little less than promised, so that it does not run out on the way. */
function tokenFrom(body: Uint8Array, asked: Asked, now: number): Token {
  let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown } = {};
  try {
    answer = JSON.parse(Buffer.from(body).toString("utf8")) ?? {};
  } catch {
    // The text may hold a token.
  }
  const text = answer.token || answer.access_token;
  if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text)) throw unsound(asked, "the token service gave no token");
  const seconds = typeof answer.expires_in === "number" && answer.expires_in > 0 ? answer.expires_in : 60;
  return { text, until: now + Math.min(seconds, 3600) * 900 };
}
