const nanosecondsIn: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, micro sign
  μs: 1_000n, // U+03BC, Greek letter
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const limit = 1n << 63n;

/** Go's time.ParseDuration, in nanoseconds; undefined when Go would refuse it. */
export function parseDuration(text: string): bigint | undefined {
  const negative = text.startsWith("-");
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0n;
  if (rest === "") return undefined;
  let total = 0n;
  while (rest !== "") {
    const match = /^(\d*)(?:\.(\d*))?([^\d.]+)/.exec(rest);
    const unit = match && Object.hasOwn(nanosecondsIn, match[3] as string) ? nanosecondsIn[match[3] as string] : undefined;
    if (!match || unit === undefined) return undefined;
    const [token, whole = "", fraction = ""] = match;
    if (whole === "" && fraction === "") return undefined;
    if (whole.replace(/^0+/, "").length > 19) return undefined;
    total += BigInt(whole || "0") * unit + fractionOf(fraction, unit);
    if (total > limit) return undefined;
    rest = rest.slice(token.length);
  }
  if (negative) return -total;
  return total === limit ? undefined : total;
}

/** Go computes fractions in floating point, which can lose a nanosecond; so do we. */
function fractionOf(digits: string, unit: bigint): bigint {
  let kept = 0n;
  let scale = 1;
  for (const digit of digits.slice(0, 40)) {
    const next = kept * 10n + BigInt(digit);
    if (next > limit) break;
    kept = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(kept) * (Number(unit) / scale)));
}

/** Go's Duration.String: leading zero units are left out, below a second the largest of ms, µs and ns that fits. */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const n = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (n < 1_000n) return `${sign}${n}ns`;
  if (n < 1_000_000n) return `${sign}${decimal(n, 3)}µs`;
  if (n < 1_000_000_000n) return `${sign}${decimal(n, 6)}ms`;
  const hours = n / 3_600_000_000_000n;
  const minutes = (n / 60_000_000_000n) % 60n;
  const seconds = `${decimal(n % 60_000_000_000n, 9)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** n / 10^places without trailing zeros. */
function decimal(n: bigint, places: number): string {
  const digits = String(n).padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return `${digits.slice(0, -places)}${fraction === "" ? "" : `.${fraction}`}`;
}
