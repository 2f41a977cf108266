/** An object that somebody else wrote. @throws TypeError naming the place */
export function record(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`${place} must be an object`);
}

export function list(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${place} must be a list`);
}

/** A text that has to be there and to say something. */
export function text(value: unknown, place: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`${place} must be a text that is not empty`);
}

/** Absent, or of the right type; null is neither. */
export function optional<T>(check: (value: unknown, place: string) => T, value: unknown, place: string): T | undefined {
  return value === undefined ? undefined : check(value, place);
}

export function string(value: unknown, place: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${place} must be a text`);
}

export function boolean(value: unknown, place: string): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${place} must be true or false`);
}

/** Algorithm to value, all of them texts (in-toto DigestSet). */
export function digestSet(value: unknown, place: string): Readonly<Record<string, string>> {
  const digests = record(value, place);
  for (const [algorithm, hex] of Object.entries(digests)) string(hex, `${place}.${algorithm}`);
  return digests as Record<string, string>;
}

/** RFC 3339, as far as it can be told from another text. */
export function timestamp(value: unknown, place: string): string {
  if (typeof value === "string" && /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value)) return value;
  throw new TypeError(`${place} must be an RFC 3339 time`);
}
