import { request as send } from "undici";
import { dispatchersFrom } from "./dispatcher.ts";
import type { Http, HttpOptions, HttpRequest, HttpResponse, HttpStream } from "./exchange.ts";
import { HttpError, httpErrorFrom } from "./fault.ts";
import { capped, type Leash, leash, within } from "./limits.ts";
import { placeOf } from "./redact.ts";
import { followed } from "./redirect.ts";
import { backOff, mayRepeat, repeated } from "./retry.ts";

export function http(options: HttpOptions = {}): Http {
  const dispatchers = dispatchersFrom(options);
  const backOffMs = options.backOffMs ?? backOff;
  const closing = new AbortController();
  const close = (): Promise<void> => {
    // Requests may end in peace; a stream never would.
    closing.abort(new HttpError("reset", "the connection is closed by this process"));
    return dispatchers.close();
  };

  async function request(request: HttpRequest): Promise<HttpResponse> {
    const whole = leash(request.signal);
    whole.limit(request.totalMs ?? 0, () => new HttpError("timeout", `${whatOf(request)}: not done within ${request.totalMs} ms`));
    const once = (step: HttpRequest): Promise<HttpResponse> =>
      repeated(() => guarded({ ...step, signal: whole.signal }), { tries: triesOf(step), backOffMs, signal: whole.signal });
    try {
      return await followed(request, once);
    } finally {
      whole.release();
    }
  }

  const triesOf = ({ url, method, tries = mayRepeat(method) ? 3 : 1 }: HttpRequest): number =>
    options.breaker?.isDown(new URL(url).origin) ? 1 : tries;

  const guarded = (step: HttpRequest): Promise<HttpResponse> =>
    options.breaker ? options.breaker.ask(new URL(step.url).origin, whatOf(step), () => exchange(step)) : exchange(step);

  /** One try. */
  async function exchange(request: HttpRequest): Promise<HttpResponse> {
    const seen = watcher(request);
    const hold = leash(request.signal);
    try {
      const { status, headers, chunks } = await answerTo(request, hold);
      const body = await capped(chunks, { maxBytes: request.maxBytes ?? 16 * 2 ** 20, headers, what: whatOf(request) });
      seen(status, body.length);
      return { status, headers, body };
    } catch (error) {
      seen(undefined, 0);
      throw hold.signal.aborted ? hold.signal.reason : httpErrorFrom(error, whatOf(request));
    } finally {
      hold.release();
    }
  }

  async function stream(request: HttpRequest): Promise<HttpStream> {
    const seen = watcher(request);
    const hold = leash(AbortSignal.any([request.signal, closing.signal]));
    const failed = (error: unknown): unknown => {
      hold.release();
      return hold.signal.aborted ? hold.signal.reason : httpErrorFrom(error, whatOf(request));
    };
    try {
      const { status, headers, chunks } = await answerTo(request, hold);
      seen(status, 0);
      return { status, headers, body: streamed(chunks, hold, failed) };
    } catch (error) {
      seen(undefined, 0);
      throw failed(error);
    }
  }

  /** The answer's head, and its body as it comes: under the caller's signal, the deadline for the head, and the one for silence. */
  async function answerTo(request: HttpRequest, hold: Leash): Promise<Answer> {
    const { headersMs = 30_000, idleMs = 30_000, method = "GET", body } = request;
    const url = new URL(request.url);
    const what = whatOf(request);
    hold.signal.throwIfAborted();
    hold.limit(headersMs, () => new HttpError("timeout", `${what}: no answer within ${headersMs} ms`));
    const dispatcher = dispatchers.for(url);
    const sent = send(url, {
      dispatcher,
      method,
      headers: { "user-agent": options.userAgent ?? "countersign", ...request.headers },
      body: body ?? null,
      signal: hold.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const answer = await within(hold.signal, sent, (late) => late.body.on("error", () => undefined).destroy());
    answer.body.on("error", () => undefined);
    const silence = (): void =>
      hold.limit(idleMs, () => new HttpError("timeout", `${what}: silent for ${idleMs} ms in the middle of the answer`));
    silence();
    return { status: answer.statusCode, headers: joined(answer.headers), chunks: heard(answer.body, silence, () => hold.limit(0)) };
  }

  function watcher({ method = "GET", url }: HttpRequest): (status: number | undefined, bytes: number) => void {
    const { observe } = options;
    if (!observe) return () => undefined;
    const { origin, pathname } = new URL(url);
    const start = performance.now();
    return (status, bytes) => observe({ method, origin, path: pathname, status, ms: performance.now() - start, bytes });
  }

  return { request, stream, close };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<Uint8Array>;
}

const whatOf = ({ method = "GET", url }: HttpRequest): string => `${method} ${placeOf(url)}`;

/** The clock for silence runs only while we wait for the peer, not while the reader works on a chunk. */
async function* heard(body: AsyncIterable<Uint8Array>, silence: () => void, hush: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hush();
    yield chunk;
    silence();
  }
}

/** The leash is let go when the loop ends, whichever way. */
async function* streamed(chunks: AsyncIterable<Uint8Array>, hold: Leash, failed: (error: unknown) => unknown): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw failed(error);
  } finally {
    hold.release();
  }
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value] as const],
  );
  return Object.fromEntries(entries);
}
