import { BlockList, isIP } from "node:net";

/**
 * A list of hosts as people write it: "registry.example", "*.example" (subdomains only), "10.1.2.3", "10.0.0.0/8", "[fd00::1]", each but
 * the ranges with an optional port. The answer says whether a name, or the address it stands for ("" where that is unknown), is on it;
 * an entry with a port is about that port alone, where one is asked for.
 *
 * @throws TypeError naming the entry that is none of these
 */
export function hostList(entries: readonly string[]): (name: string, address: string, port?: string) => boolean {
  const rules = entries.map(ruleFrom);
  return (name, address, port) =>
    rules.some((rule) => (rule.port === "" || port === undefined || rule.port === port) && rule.fits(name, address));
}

interface Rule {
  readonly port: string;
  readonly fits: (name: string, address: string) => boolean;
}

function ruleFrom(entry: string): Rule {
  const text = entry.trim().toLowerCase();
  const { host, port } = splitPort(text);
  const [network = "", mask] = host.split("/");
  const family = isIP(network);
  const most = family === 4 ? 32 : 128;
  const bits = mask === undefined ? most : /^\d{1,3}$/.test(mask) ? Number(mask) : -1;
  if (family && bits >= 0 && bits <= most) return { port, fits: inRange(network, bits, family) };
  if (/^\*\.[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host)) return { port, fits: (name) => name.endsWith(host.slice(1)) };
  if (!family && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/.test(host)) return { port, fits: (name) => name === host.replace(/\.$/, "") };
  const sentence = `"${entry.slice(0, 100)}" is no host, "*.domain", address or range; write registry.example, *.example or 10.0.0.0/8`;
  throw new TypeError(sentence);
}

/** "[fd00::1]:5000" and "10.1.2.3:5000" are an address and a port; "fd00::1" has none. */
function splitPort(text: string): { readonly host: string; readonly port: string } {
  const [, bracketed, ofBracketed = "", plain = text, ofPlain = ""] = /^(?:\[([0-9a-f:.]+)\](?::(\d+))?|([^:]*):(\d+))$/.exec(text) ?? [];
  return bracketed === undefined ? { host: plain, port: ofPlain } : { host: bracketed, port: ofBracketed };
}

function inRange(network: string, bits: number, family: number): Rule["fits"] {
  const range = new BlockList();
  range.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return (name, address) =>
    [name, address].some((one) => {
      const kind = isIP(one);
      return kind !== 0 && range.check(one, kind === 4 ? "ipv4" : "ipv6");
    });
}
