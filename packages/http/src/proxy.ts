import { BlockList, isIP } from "node:net";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, as Go programs choose it: HTTPS_PROXY or HTTP_PROXY by the URL's scheme, NO_PROXY for exceptions, upper case first.
 * NO_PROXY: "*", hosts (with their subdomains), ".domain" or "*.domain" (subdomains only), addresses, CIDR ranges, each with an optional port.
 * Loopback is never proxied.
 */
export function proxyFor(url: URL, env: Env): string | undefined {
  const proxy = url.protocol === "https:" ? variable(env, "HTTPS_PROXY") : variable(env, "HTTP_PROXY");
  if (!proxy) return undefined;
  const host = bare(url.hostname).replace(/\.$/, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  if (isLoopback(host) || (variable(env, "NO_PROXY") ?? "").split(",").some((rule) => exempts(rule.trim().toLowerCase(), host, port)))
    return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

const variable = (env: Env, name: string): string | undefined => env[name] || env[name.toLowerCase()];
const bare = (host: string): string => host.replace(/^\[|\]$/g, "");
const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

function exempts(rule: string, host: string, port: string): boolean {
  if (rule === "") return false;
  if (rule === "*") return true;
  if (rule.includes("/")) return contains(rule, host);
  const [, name = "", only] = /^(\[[^\]]*\]|[^:]*|[^[\]]*:[^[\]]*:[^[\]]*)(?::(\d+))?$/.exec(rule) ?? [];
  if (only && only !== port) return false;
  const wanted = bare(name);
  if (isIP(wanted)) return wanted === host;
  if (wanted.startsWith("*.") || wanted.startsWith(".")) return host.endsWith(wanted.replace("*", ""));
  return wanted !== "" && (host === wanted || host.endsWith(`.${wanted}`));
}

function contains(range: string, host: string): boolean {
  const [network = "", bits = ""] = range.split("/");
  const family = isIP(network);
  if (!family || isIP(host) !== family || !/^\d+$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return list.check(host, family === 4 ? "ipv4" : "ipv6");
}
