import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** A registry's door, in front of any server: Basic, or Bearer with a token service at /token. */
export interface GuardOptions {
  readonly scheme: "basic" | "bearer";
  /** Name to password. */
  readonly users: Readonly<Record<string, string>>;
  /** What somebody without a name may do. Default nothing. */
  readonly anonymous?: "pull" | "nothing";
}

export interface GuardAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface TokenGuard {
  /** What the door itself answers; undefined lets the request pass. */
  check(request: IncomingMessage, body: string): GuardAnswer | undefined;
  /** Tokens handed out so far. */
  readonly issued: number;
  /** All tokens are unknown from now on, as after their five minutes. */
  expire(): void;
}

const reading = ["GET", "HEAD"];

export function tokenGuard({ scheme, users, anonymous = "nothing" }: GuardOptions): TokenGuard {
  const tokens = new Map<string, ReadonlySet<string>>();
  let issued = 0;
  const guard: TokenGuard = {
    get issued() {
      return issued;
    },
    expire: () => tokens.clear(),
    check(request, body) {
      const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
      if (scheme === "bearer" && url.pathname === "/token") return grant(request, url, new URLSearchParams(body));
      const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(url.pathname)?.[1];
      const action = reading.includes(request.method ?? "") ? "pull" : "push";
      const known = scheme === "basic" ? basic(request) : bearer(request, repository, action);
      if (known === "yes" || (known === "nobody" && scheme === "basic" && anonymous === "pull" && action === "pull")) return undefined;
      const scope = repository ? `,scope="repository:${repository}:${action === "push" ? "pull,push" : "pull"}"` : "";
      const challenge = scheme === "basic" ? 'Basic realm="testing"' : `Bearer realm="http://${url.host}/token",service="testing"${scope}`;
      return refusal(401, "UNAUTHORIZED", { "www-authenticate": challenge });
    },
  };
  return guard;

  function basic({ headers: { authorization = "" } }: IncomingMessage): "yes" | "wrong" | "nobody" {
    if (!/^Basic /i.test(authorization)) return "nobody";
    const [, name = "", password] = /^([^:]*):(.*)$/s.exec(Buffer.from(authorization.slice(6), "base64").toString()) ?? [];
    return Object.hasOwn(users, name) && users[name] === password ? "yes" : "wrong";
  }

  function bearer({ headers: { authorization = "" } }: IncomingMessage, repository: string | undefined, action: string): "yes" | "wrong" {
    const scopes = tokens.get(authorization.replace(/^Bearer /i, ""));
    return scopes && (repository === undefined || scopes.has(`${repository}:${action}`)) ? "yes" : "wrong";
  }

  function grant(request: IncomingMessage, url: URL, form: URLSearchParams): GuardAnswer {
    const who = basic(request);
    if (who === "wrong") return refusal(401, "UNAUTHORIZED", {});
    const asked = [...url.searchParams.getAll("scope"), ...form.getAll("scope")].flatMap((scopes) => scopes.split(" "));
    const scopes = asked.flatMap((scope) => {
      const [, repository = "", actions = ""] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
      const allowed = actions.split(",").filter((action) => who === "yes" || (action === "pull" && anonymous === "pull"));
      return allowed.map((action) => `${repository}:${action}`);
    });
    const token = `token-${randomUUID()}`;
    tokens.set(token, new Set(scopes));
    issued += 1;
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, access_token: token, expires_in: 300 }),
    };
  }
}

const refusal = (status: number, code: string, headers: Readonly<Record<string, string>>): GuardAnswer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ errors: [{ code, message: "not without a name" }] }),
});
