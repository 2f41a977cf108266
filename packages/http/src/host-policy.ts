import { BlockList, isIP } from "node:net";
import { HttpError } from "./fault.ts";

export interface HostPolicyOptions {
  /** Loopback, RFC 1918, RFC 4193, shared address space: where a cluster's own registries live. Default true. */
  readonly allowPrivate?: boolean;
  /** Hosts that are always allowed, wherever they resolve to; "*.example.com" for subdomains. */
  readonly allow?: readonly string[];
}

/**
 * Whom to connect to when users name the host (SSRF). Link-local addresses and cloud metadata are always refused, private ones on demand.
 * http() asks with the resolved address and connects to that very address, so a name that resolves differently the second time is no way
 * round. Behind a proxy the address is "" unless the host is one: there the proxy decides.
 *
 * @throws HttpError "refused-host"
 */
export function hostPolicy({ allowPrivate = true, allow = [] }: HostPolicyOptions = {}): (host: string, address: string) => void {
  return (host, address) => {
    const name = host.toLowerCase().replace(/\.$/, "");
    if (allow.some((pattern) => matches(pattern.toLowerCase(), name))) return;
    if (metadataHosts.has(name)) throw refused(host, "is a cloud's metadata service");
    const family = isIP(address);
    if (!family) return;
    const kind = family === 4 ? "ipv4" : "ipv6";
    if (never.check(address, kind))
      throw refused(host, `resolves to ${address}, which is link-local, multicast or a cloud's metadata service`);
    if (!allowPrivate && inside.check(address, kind))
      throw refused(host, `resolves to ${address}, which is a private address; allow the host if it is meant`);
  };
}

const refused = (host: string, why: string): HttpError => new HttpError("refused-host", `host ${host} is refused: it ${why}`);

const matches = (pattern: string, host: string): boolean => (pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern);

const metadataHosts: ReadonlySet<string> = new Set(["metadata.google.internal", "metadata", "instance-data.ec2.internal", "instance-data"]);

const never: BlockList = ranges(
  ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32", "168.63.129.16/32"],
  ["::/128", "fe80::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128"],
);
const inside: BlockList = ranges(
  ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15"],
  ["::1/128", "fc00::/7", "fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48"],
);

function ranges(four: readonly string[], six: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (kind: "ipv4" | "ipv6") => (range: string) => {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), kind);
  };
  four.forEach(add("ipv4"));
  six.forEach(add("ipv6"));
  return list;
}
