import { BlockList, isIP } from "node:net";
import { HttpError } from "./fault.ts";
import { hostList } from "./host-list.ts";

export interface HostPolicyOptions {
  /** RFC 1918, RFC 4193, shared address space: where a cluster's own registries and services live. Default true. */
  readonly allowPrivate?: boolean;
  /** 127.0.0.0/8 and ::1, the very machine or pod. Default false. */
  readonly allowLoopback?: boolean;
  /** Exceptions: hosts, "*.example.com" for subdomains, addresses, ranges like 10.1.0.0/16. A port is ignored. @throws TypeError */
  readonly allow?: readonly string[];
}

/**
 * Whom to connect to when users name the host (SSRF). Link-local and multicast addresses, the unspecified one and cloud metadata are always
 * refused, whatever is allowed; loopback unless it is listed; private ones on demand. http() asks with the resolved address and connects to
 * that very address, so a name that resolves differently the second time is no way round. Behind a proxy the address is "" unless the host
 * is one: there the proxy decides, and names that are obviously inside count as private.
 *
 * @throws HttpError "refused-host"
 */
export function hostPolicy(options: HostPolicyOptions = {}): (host: string, address: string) => void {
  const { allowPrivate = true, allowLoopback = false, allow = [] } = options;
  const isListed = hostList(allow);
  return (host, address) => {
    const name = host.toLowerCase().replace(/\.$/, "");
    if (metadataHosts.has(name)) throw refused(host, "is a cloud's metadata service");
    const family = isIP(address);
    const kind = family === 4 ? "ipv4" : "ipv6";
    if (family && never.check(address, kind))
      throw refused(host, `${resolves(name, address)}, which is link-local, multicast, unspecified or a cloud's metadata service`);
    if (isListed(name, address)) return;
    if (family ? loopback.check(address, kind) : isLocalName(name)) {
      if (!allowLoopback) throw refused(host, `${resolves(name, address)}, this very machine; list the host if it is meant`);
      return;
    }
    if (!allowPrivate && (family ? inside.check(address, kind) : isInsideName(name)))
      throw refused(host, `${resolves(name, address)}, which is private; list the host if it is meant`);
  };
}

const refused = (host: string, why: string): HttpError => new HttpError("refused-host", `host ${host} is refused: it ${why}`);
const resolves = (name: string, address: string): string =>
  address === "" || address === name ? "is an address or name" : `resolves to ${address}`;

const isLocalName = (name: string): boolean => name === "localhost" || name.endsWith(".localhost");
/** Only asked where nobody but a proxy knows the address. */
const isInsideName = (name: string): boolean => !name.includes(".") || /\.(?:local|internal|svc|lan|home\.arpa)$/.test(name);

const metadataHosts: ReadonlySet<string> = new Set([
  "metadata.google.internal",
  "metadata.goog",
  "metadata",
  "instance-data.ec2.internal",
  "instance-data",
]);

const never: BlockList = ranges(
  ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "100.100.100.200/32", "168.63.129.16/32"],
  ["::/128", "fe80::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128"],
);
const loopback: BlockList = ranges(["127.0.0.0/8"], ["::1/128"]);
const inside: BlockList = ranges(
  ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15"],
  ["fc00::/7", "fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"],
);

/** Each IPv4 range also as NAT64 writes it (RFC 6052): a gateway would carry us there. BlockList knows ::ffff:1.2.3.4 by itself. */
function ranges(four: readonly string[], six: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of four) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), "ipv4");
    list.addSubnet(`64:ff9b::${network}`, 96 + Number(bits), "ipv6");
  }
  for (const range of six) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), "ipv6");
  }
  return list;
}
