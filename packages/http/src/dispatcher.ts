import { type LookupAddress, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from "undici";
import { caFileAt } from "./ca-file.ts";
import type { HttpOptions } from "./exchange.ts";
import { HttpError } from "./fault.ts";
import { hostList } from "./host-list.ts";
import { proxyFor } from "./proxy.ts";
import { secureContextFrom } from "./trust.ts";

export interface Dispatchers {
  /** The shared way to this URL: straight, or through its proxy. @throws HttpError "refused-host" */
  for(url: URL): Dispatcher;
  close(): Promise<void>;
}

const closeMs = 500;

/** undici's agents, one for straight connections and one for each proxy, made when first needed; all anew when the CA file was replaced. */
export function dispatchersFrom(options: HttpOptions): Dispatchers {
  const { hostPolicy, insecure = false, env = process.env } = options;
  const isLax = insecure === true ? () => true : hostList(insecure || []);
  const ca = options.caFile ? caFileAt(options.caFile) : undefined;
  let ways = waysFrom(options, ca ? [ca.text] : []);
  const retired = new Set<Dispatcher>();

  /** Requests under way end in peace. */
  function retire(): void {
    for (const old of ways.made.values()) {
      retired.add(old);
      old.close().then(
        () => retired.delete(old),
        () => retired.delete(old),
      );
    }
    ways = waysFrom(options, ca ? [ca.text] : []);
  }

  return {
    for(url) {
      if (ca?.hasChanged()) retire();
      const host = url.hostname.replace(/^\[|\]$/g, "");
      const address = isIP(host) ? host : "";
      const proxy = proxyFor(url, env);
      if (hostPolicy && (address || proxy)) judge(hostPolicy, host, address);
      return ways.to(proxy, isLax(host, address, url.port || "443"));
    },
    async close() {
      const open = [...ways.made.values(), ...retired];
      const quiet = Promise.allSettled(open.map((dispatcher) => dispatcher.close()));
      await Promise.race([quiet, sleep(closeMs, undefined, { ref: false })]);
      await Promise.allSettled(open.map((dispatcher) => dispatcher.destroy())); // a second close finds nothing left to do
    },
  };
}

interface Ways {
  readonly made: ReadonlyMap<string, Dispatcher>;
  /** lax: whatever certificate the server shows. */
  to(proxy: string | undefined, lax: boolean): Dispatcher;
}

function waysFrom(options: HttpOptions, extra: readonly string[]): Ways {
  const { connectMs = 5_000, connections = 64, hostPolicy, lookup: resolve = lookup } = options;
  const made = new Map<string, Dispatcher>();
  const pool = { allowH2: false, connections, connectTimeout: connectMs, keepAliveTimeout: 15_000 };
  const plain: buildConnector.BuildOptions = { allowH2: false, timeout: connectMs };
  if (hostPolicy || options.lookup) plain.lookup = pinned(hostPolicy ?? (() => undefined), resolve);
  const context = once(() => secureContextFrom(options, extra));

  const make = (proxy: string | undefined, lax: boolean): Dispatcher => {
    const trust = once(() => ({ rejectUnauthorized: !lax, secureContext: context() }));
    const connectors = { "http:": once(() => buildConnector(plain)), "https:": once(() => buildConnector({ ...plain, ...trust() })) };
    if (!proxy) return new Agent({ ...pool, connect: (to, done) => connectors[to.protocol === "https:" ? "https:" : "http:"]()(to, done) });
    const tls: buildConnector.BuildOptions = { allowH2: false, timeout: connectMs, ...trust() };
    return new ProxyAgent({ ...pool, uri: proxy, requestTls: tls, proxyTls: { ...tls, rejectUnauthorized: options.insecure !== true } });
  };

  return {
    made,
    to(proxy, lax) {
      const key = `${lax} ${proxy ?? ""}`;
      const known = made.get(key) ?? make(proxy, lax);
      made.set(key, known);
      return known;
    },
  };
}

/** Reading the system's CAs takes a tenth of a second: who speaks plain http, or nothing at all, never waits for it. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

type Policy = NonNullable<HttpOptions["hostPolicy"]>;

function judge(policy: Policy, host: string, address: string): void {
  try {
    policy(host, address);
  } catch (cause) {
    if (cause instanceof HttpError && cause.fault === "refused-host") throw cause;
    throw new HttpError("refused-host", `host ${host} is refused by policy`, { cause });
  }
}

/** Resolves once; the socket gets only addresses that the policy has seen and let pass. */
function pinned(policy: Policy, resolve: NonNullable<HttpOptions["lookup"]>): LookupFunction {
  return (host, { all, ...how }, done) => {
    resolve(host, { ...how, all: true }, (error, addresses) => {
      if (error) return done(error, "");
      const { allowed, refusal } = sifted(policy, host, addresses);
      const [first] = allowed;
      if (!first) return done(refusal ?? new HttpError("dns", `host ${host} has no address`), "");
      return all ? done(null, [...allowed]) : done(null, first.address, first.family);
    });
  };
}

function sifted(
  policy: Policy,
  host: string,
  addresses: readonly LookupAddress[],
): { allowed: readonly LookupAddress[]; refusal?: HttpError } {
  const allowed: LookupAddress[] = [];
  let refusal: HttpError | undefined;
  for (const one of addresses) {
    try {
      judge(policy, host, one.address);
      allowed.push(one);
    } catch (error) {
      refusal ??= error as HttpError;
    }
  }
  return { allowed, ...(refusal && { refusal }) };
}
