import { BlockList, isIP } from "node:net";

/**
 * A list of hosts as people write it: "registry.example", "*.example" (subdomains only), "10.1.2.3", "10.0.0.0/8", "[fd00::1]", each with
 * an optional port, which is ignored. The answer says whether a name, or the address it stands for ("" where that is unknown), is on it.
 *
 * @throws TypeError naming the entry that is none of these
 */
export function hostList(entries: readonly string[]): (name: string, address: string) => boolean {
  const ranges = new BlockList();
  const names = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of entries) {
    const text = entry.trim().toLowerCase();
    const { network, bits } = rangeIn(text);
    const family = isIP(network);
    if (family && bits >= 0 && bits <= (family === 4 ? 32 : 128)) ranges.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
    else if (/^\*\.[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(text)) suffixes.push(text.slice(1));
    else if (!family && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?(?::\d+)?$/.test(text)) names.add(text.replace(/\.?(?::\d+)?$/, ""));
    else
      throw new TypeError(
        `"${entry.slice(0, 100)}" is no host, "*.domain", address or range; write registry.example, *.example or 10.0.0.0/8`,
      );
  }
  return (name, address) => {
    if (names.has(name) || suffixes.some((suffix) => name.endsWith(suffix))) return true;
    return [name, address].some((one) => {
      const family = isIP(one);
      return family !== 0 && ranges.check(one, family === 4 ? "ipv4" : "ipv6");
    });
  };
}

/** "[fd00::1]:5000" and "10.1.2.3:5000" are one address; without a mask all bits count. */
function rangeIn(text: string): { readonly network: string; readonly bits: number } {
  const [, bracketed, four, rest = text] = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|([\d.]+):\d+|(.*))$/.exec(text) ?? [];
  const [network = "", mask] = (bracketed ?? four ?? rest).split("/");
  if (mask === undefined) return { network, bits: isIP(network) === 4 ? 32 : 128 };
  return { network, bits: /^\d{1,3}$/.test(mask) ? Number(mask) : -1 };
}
