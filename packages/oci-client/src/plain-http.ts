import { isIP } from "node:net";
import { hostList } from "@countersign/http";

/**
 * With which registries plain http may be tried where TLS does not come about. true: with all. A list: with these alone (hosts,
 * "*.domain", addresses, ranges, each with an optional port). Otherwise, or where the list is empty: where Docker and Tekton Chains do.
 *
 * @throws TypeError naming an entry of the list that is none of these
 */
export function plainHttpFor(insecure: boolean | readonly string[]): (registry: string) => boolean {
  if (insecure === true) return () => true;
  if (insecure === false || insecure.length === 0) return isLocal;
  const isListed = hostList(insecure);
  return (registry) => {
    const { name, port } = partsOf(registry);
    return isListed(name, isIP(name) ? name : "", port);
  };
}

/** Loopback, *.localhost, RFC 1918 addresses. */
export function isLocal(registry: string): boolean {
  const { name } = partsOf(registry);
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  if (isIP(name) !== 4) return false;
  const [a = 0, b = 0] = name.split(".").map(Number);
  return a === 127 || a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
}

function partsOf(registry: string): { readonly name: string; readonly port: string } {
  const [, six, four, port = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(registry.toLowerCase()) ?? [];
  return { name: six ?? four ?? registry, port };
}
