import { type Http, HttpError, type HttpRequest, type HttpResponse, isOutage, isUntrusted } from "@countersign/http";
import { type Actions, authorizer } from "./auth.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { Credential } from "./credential.ts";
import { oneFlight } from "./one-flight.ts";
import { plainHttpFor } from "./plain-http.ts";
import { dockerHub, type Repository } from "./reference.ts";
import { type Asked, refusalFrom, unanswered } from "./registry-error.ts";

export interface Call {
  readonly signal: AbortSignal;
}

/** One request to a repository. `url` is a path below the registry's origin, or a whole URL that the registry handed out. */
export interface Step extends Asked, Call, Pick<HttpRequest, "method" | "body" | "maxBytes" | "tries" | "redirects"> {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who asks for what, in which repository. `next` is the candidate in use: those before it were refused. */
export interface Entrance {
  readonly place: Repository;
  readonly candidates: readonly [Credential, ...Credential[]];
  readonly actions: Actions;
  next: number;
  /** Whose credentials were sent and let in; undefined as long as none were asked for. */
  admitted?: string;
}

export interface Wire {
  /** Any answer but a refusal of every credential. @throws RegistryError */
  send(entrance: Entrance, step: Step): Promise<HttpResponse>;
  /** "https://registry.example". @throws RegistryError */
  originOf(registry: string, step: Asked & Call): Promise<string>;
}

export interface WireOptions {
  readonly http: Http;
  /** Where plain http may be tried. Certificates are the business of `http`. */
  readonly insecure: boolean | readonly string[];
  /** For one try until its answer begins, and for silence within the answer. */
  readonly requestMs: number;
  /** For one request, tries included. */
  readonly totalMs: number;
}

/** Knows which scheme each registry speaks and what its last challenge was; sends a credential only once it was asked for. */
export function wire({ http, insecure, requestMs, totalMs }: WireOptions): Wire {
  const origins = new Map<string, string>();
  const challenges = new Map<string, Challenge>();
  const greetings = oneFlight<string>();
  const isPlain = plainHttpFor(insecure);
  const auth = authorizer({ http, insecure: insecure === true, totalMs });

  async function send(entrance: Entrance, step: Step): Promise<HttpResponse> {
    const origin = await originOf(entrance.place.registry, step);
    for (;;) {
      const credential = entrance.candidates[entrance.next] ?? entrance.candidates[0];
      const answer = await asked(origin, credential, entrance, step);
      if (answer.status !== 401 && answer.status !== 403) return answer;
      if (entrance.next + 1 >= entrance.candidates.length) {
        const scope = `repository:${entrance.place.repository}:${entrance.actions}`;
        throw refusalFrom(step, answer, credential.source, { sources: entrance.candidates.map(({ source }) => source), scope });
      }
      entrance.next += 1;
    }
  }

  /** As the registry challenged last time; once more if it challenges otherwise now, or the token has run out. */
  async function asked(origin: string, credential: Credential, entrance: Entrance, step: Step): Promise<HttpResponse> {
    const { place, actions } = entrance;
    const url = new URL(step.url, origin);
    if (url.origin !== origin) return raw(origin, url, step, undefined);
    const headerFor = (challenge: Challenge, fresh: boolean): Promise<string | undefined> =>
      auth.header({ ...step, challenge, credential, place, actions, origin, fresh });
    const known = challenges.get(origin);
    const first = known && (await headerFor(known, false));
    const sent = async (authorization: string | undefined): Promise<HttpResponse> => {
      const answer = await raw(origin, url, step, authorization);
      if (authorization !== undefined && credential.kind !== "anonymous" && ![401, 403].includes(answer.status))
        entrance.admitted = credential.source;
      return answer;
    };
    const answer = await sent(first);
    const challenge = answer.status === 401 ? parseChallenge(answer.headers["www-authenticate"]) : undefined;
    if (!challenge) return answer;
    challenges.set(origin, challenge);
    const refused = known !== undefined && first === undefined && JSON.stringify(known) === JSON.stringify(challenge);
    const second = refused ? undefined : await headerFor(challenge, first !== undefined);
    return second === undefined || second === first ? answer : sent(second);
  }

  async function raw(origin: string, url: URL, step: Step, authorization: string | undefined): Promise<HttpResponse> {
    const { method, body, maxBytes, tries, redirects, headers, signal } = step;
    try {
      return await http.request({
        url,
        signal,
        totalMs,
        headersMs: requestMs,
        idleMs: requestMs,
        headers: { ...headers, ...(authorization && { authorization }) },
        ...(method && { method }),
        ...(body !== undefined && { body }),
        maxBytes: maxBytes ?? maxAnswerBytes,
        ...(tries !== undefined && { tries }),
        ...(redirects !== undefined && { redirects }),
      });
    } catch (error) {
      if (error instanceof HttpError && origins.get(new URL(origin).host) === origin) origins.delete(new URL(origin).host);
      throw unanswered(step, error);
    }
  }

  /**
   * One greeting for each registry, remembered: it finds out the scheme where plain http is thinkable, and the challenge, so that what a
   * registry hides from strangers is not taken for absent.
   */
  async function originOf(registry: string, step: Asked & Call): Promise<string> {
    const host = registry === dockerHub ? "registry-1.docker.io" : registry;
    const known = origins.get(host);
    if (known) return known;
    return greetings(host, step.signal, () => met(host, step)).catch((error) => Promise.reject(unanswered(step, error)));
  }

  async function met(host: string, step: Call): Promise<string> {
    const maybePlain = isPlain(host);
    const greeting = (scheme: "https" | "http"): Promise<Greeting> => greet(`${scheme}://${host}`, maybePlain ? 1 : 3, step);
    const { origin, answer } = await greeting("https").catch((error) => {
      if (!maybePlain || !(error instanceof HttpError) || isUntrusted(error) || error.fault === "refused-host") throw error;
      return greeting("http").catch((second) => Promise.reject(error.fault === "tls" ? second : error));
    });
    if (isOutage(answer.status)) return origin;
    if (origins.size >= maxRegistries) origins.clear();
    if (challenges.size >= maxRegistries) challenges.clear();
    origins.set(host, origin);
    const challenge = answer.status === 401 ? parseChallenge(answer.headers["www-authenticate"]) : undefined;
    if (challenge) challenges.set(origin, challenge);
    return origin;
  }

  async function greet(origin: string, tries: number, { signal }: Call): Promise<Greeting> {
    return {
      origin,
      answer: await http.request({ url: `${origin}/v2/`, tries, totalMs, headersMs: requestMs, maxBytes: 1 << 20, signal }),
    };
  }

  return { send, originOf };
}

interface Greeting {
  readonly origin: string;
  readonly answer: HttpResponse;
}

/** Of what is only a word or two: an upload taken, a refusal. */
const maxAnswerBytes = 256 * 1024;

/** Their names come from users: memory must have an end. */
const maxRegistries = 1000;
