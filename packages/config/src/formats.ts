import { type KeyRow, keys } from "./keys.ts";
import { nearest } from "./nearest.ts";

/** Thrown by a reader. mistake: the whole ConfigMap is refused. ignored: the default stays, as if the key were absent. */
export class Unread extends Error {
  readonly kind: "mistake" | "ignored";
  readonly nearest: string | undefined;
  constructor(kind: "mistake" | "ignored", sentence: string, nearest?: string) {
    super(sentence);
    this.kind = kind;
    this.nearest = nearest;
  }
}

type Reader = (value: string, row: KeyRow) => unknown;

/** Upstream's rules, to the letter: what it accepts, refuses and silently ignores. Only the silence is not kept. */
const readers: Readonly<Record<KeyRow["format"], Reader>> = {
  text: (value) => value,
  choice: (value, row) => {
    if (row.allowed?.includes(value)) return value;
    throw notOneOf(value, row);
  },
  "go-bool": (value) => {
    if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
    if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
    throw new Unread("ignored", `${quoted(value)} is neither true nor false, so it is ignored`);
  },
  "go-set": (value, row) => {
    if (value === "") return [];
    const elements = value.split(",").map(goTrim);
    for (const element of elements) if (row.allowed && !row.allowed.includes(element)) throw notOneOf(element, row);
    const set = [...new Set(elements)].filter(Boolean);
    return row.keepsOrder ? set : set.sort();
  },
  transparency: (value) => {
    if (value === "true" || value === "manual") return value;
    if (["", "0", "f", "F", "false", "False", "FALSE", "off", "no"].includes(value)) return "off";
    throw new Unread(
      "ignored",
      `${quoted(value)} is neither "true" nor "manual", so nothing is uploaded`,
      nearest(value, ["true", "manual"]),
    );
  },
  count: (value) => {
    if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
    throw new Unread("mistake", `${quoted(value)} is no number from 1 to 999999999`);
  },
  "go-duration": (value) => {
    if (value === "never") return "never";
    const ms = durationMs(value);
    if (ms === undefined || ms < 0)
      throw new Unread("mistake", `${quoted(value)} is no duration such as "90s", "5m" or "1h30m", nor "never"`);
    return ms;
  },
};

/** For convict.addFormats: reading happens where convict coerces, because only there one key fails by itself, with its reason as a value. */
export const formats: Readonly<Record<string, { validate(): void; coerce(value: string, config?: unknown, alias?: string): unknown }>> =
  Object.fromEntries(
    Object.entries(readers).map(([name, read]) => [
      `chains-${name}`,
      {
        validate: () => {},
        coerce: (value: string, _config?: unknown, alias = "") => {
          const row = Object.hasOwn(keys, alias) ? keys[alias] : undefined;
          return row ? read(value, row) : value;
        },
      },
    ]),
  );

function notOneOf(value: string, { allowed = [] }: KeyRow): Unread {
  const near = nearest(value, allowed);
  return new Unread("mistake", `${quoted(value)} is not one of ${allowed.join(", ")}`, near);
}

/** Short enough for one line, whatever somebody wrote. */
export const quoted = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value);

/** Go's strings.TrimSpace, whose white space is not quite JavaScript's. */
const goTrim = (value: string): string => value.replace(goSpace, "");
const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const goSpace = new RegExp(`^${space}|${space}$`, "g");

const millisecondsIn: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Go's duration text, in milliseconds; undefined when it is none. */
function durationMs(value: string): number | undefined {
  if (value === "0") return 0;
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  const parts = [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (millisecondsIn[unit ?? ""] ?? Number.NaN), 0);
}
