const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const siLetters: Readonly<Record<number, string>> = {
  [-9]: "n",
  [-6]: "u",
  [-3]: "m",
  0: "",
  3: "k",
  6: "M",
  9: "G",
  12: "T",
  15: "P",
  18: "E",
};

const unit = 1_000_000_000n;

/** Larger binary quantities are cut to 2^63 - 1; decimal ones are not. */
const largest = ((1n << 63n) - 1n) * unit;

type Suffix = { readonly kind: "decimal" | "exponent" | "binary"; readonly exponent: number };

/** Most quantities are like this, and stay as they are by the rules below. */
const ordinary = /^(?:[1-9]\d{0,2}[mkMGTPE]?|[1-9][KMGT]i)$/;

/**
 * A Kubernetes quantity in the form in which the API machinery writes it again; undefined when it is none.
 * @param text the JSON string, or the JSON number as it is spelled
 */
export function canonicalQuantity(text: string): string | undefined {
  if (text === "0" || ordinary.test(text)) return text;
  const trimmed = text.trim();
  if (trimmed === "0") return "0";
  const match = /^([+-]?)(\d*)(?:\.(\d*))?((?:[eE][+-]?\d+)|[A-Za-z]*)$/.exec(trimmed);
  if (!match) return undefined;
  const [, sign = "", integers = "", fraction = "", letters = ""] = match;
  if (integers === "" && fraction === "") return undefined;
  const suffix = parseSuffix(letters);
  if (!suffix) return undefined;
  const whole = integers.replace(/^0+/, "") || "0";
  return staysAsWritten(whole, fraction, suffix) ? trimmed : rewritten(sign === "-", whole, fraction, suffix);
}

function parseSuffix(letters: string): Suffix | undefined {
  if (Object.hasOwn(decimalExponents, letters)) return { kind: "decimal", exponent: decimalExponents[letters] as number };
  if (Object.hasOwn(binaryExponents, letters)) return { kind: "binary", exponent: binaryExponents[letters] as number };
  if (!/^[eE][+-]?\d+$/.test(letters)) return undefined;
  const exponent = Number(letters.slice(1));
  // the reference reads the exponent into 32 bits
  return Number.isInteger(exponent) && Math.abs(exponent) < 2 ** 31 ? { kind: "exponent", exponent } : undefined;
}

/** Numbers that fit 64 bits take a short path in the API machinery, which remembers the text as it was written. */
function staysAsWritten(whole: string, fraction: string, suffix: Suffix): boolean {
  if (suffix.kind === "binary") {
    if (fraction !== "") return false;
    const digitsLeft = 15 - whole.length - Math.floor((suffix.exponent * 3) / 10) - 1;
    return digitsLeft >= 0 && BigInt(whole) % 8n !== 0n;
  }
  const digits = whole + fraction;
  const scale = suffix.exponent - fraction.length;
  return digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

function rewritten(negative: boolean, whole: string, fraction: string, suffix: Suffix): string {
  const sign = negative ? "-" : "";
  if (suffix.kind !== "binary") {
    const text = decimalText(whole + fraction, suffix.exponent - fraction.length, suffix.kind === "exponent");
    return text === "0" ? text : `${sign}${text}`;
  }
  const exact = dividedUp(BigInt(whole + fraction) * (1n << BigInt(suffix.exponent)) * unit, fraction.length);
  const nanos = exact > largest ? largest : exact;
  if (nanos === 0n) return "0";
  if (nanos >= 1024n * unit && nanos % unit === 0n) return `${sign}${binaryText(nanos / unit)}`;
  return `${sign}${decimalText(String(nanos), -9, false)}`;
}

/** Rounded away from zero. */
function dividedUp(value: bigint, places: number): bigint {
  if (value === 0n) return 0n;
  if (places > String(value).length) return 1n;
  const divisor = 10n ** BigInt(places);
  return (value + divisor - 1n) / divisor;
}

function binaryText(value: bigint): string {
  const letters = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
  let rest = value;
  let step = 0;
  while (rest % 1024n === 0n && step < letters.length - 1) {
    rest /= 1024n;
    step++;
  }
  return `${rest}${letters[step]}`;
}

/** digits times 10^power, in units of 10^-9 at least. By digits, not by value: 1e1000000000 is a quantity, too. */
function decimalText(digits: string, power: number, asExponent: boolean): string {
  const rounded = power < -9 ? { digits: String(dividedUp(BigInt(digits), -9 - power)), power: -9 } : { digits, power };
  const trimmed = rounded.digits.replace(/^0+/, "");
  const significant = trimmed.replace(/0+$/, "");
  if (significant === "") return "0";
  const exponent = rounded.power + trimmed.length - significant.length;
  const zeros = ((exponent % 3) + 3) % 3;
  const lowered = exponent - zeros;
  const letter = asExponent ? (lowered === 0 ? "" : undefined) : siLetters[lowered];
  return `${significant}${"0".repeat(zeros)}${letter ?? `e${lowered}`}`;
}
