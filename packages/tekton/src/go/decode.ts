import { CountersignError } from "@countersign/core";
import { maximalDepth, tooDeepToRead } from "../depth.ts";
import type { ParamValue } from "../param-value.ts";
import type { SourceText } from "../source-text.ts";
import { parseDuration } from "./duration.ts";
import { type GoStruct, type GoType, goType } from "./go-type.ts";
import { RawJson } from "./json.ts";
import { canonicalQuantity } from "./quantity.ts";
import { parseTime } from "./time.ts";

/**
 * Reads what JSON.parse made of a text as Go reads it into a struct: unknown keys count for nothing, null is absence, and a value of the
 * wrong type makes the whole object unreadable. Structs stay objects, maps become Maps, times GoTime, durations bigint, quantities their
 * canonical text, integers beyond 2^53 bigint. The tree is taken over and changed in place, because most of it stays as it is.
 * @throws CountersignError read.wrong-type, read.too-deep
 */
export function decode(typeName: string, value: unknown, source: SourceText): unknown {
  return new Decoder(source).value(goType(typeName), value);
}

class Decoder {
  readonly #source: SourceText;
  readonly #path: (string | number)[] = [];
  readonly #mendStrings: boolean;

  constructor(source: SourceText) {
    this.#source = source;
    this.#mendStrings = source.mayHaveLoneSurrogates;
  }

  /** Never called with null, which is absence everywhere but in lists and maps: see zeroOf. */
  value(type: GoType, value: unknown): unknown {
    switch (type.kind) {
      case "string":
        return typeof value === "string" ? this.#mended(value) : this.#refuse("a string", value);
      case "bool":
        return typeof value === "boolean" ? value : this.#refuse("true or false", value);
      case "integer":
        return this.#integer(value, type.bits);
      case "struct":
        return this.#struct(type, value);
      case "list":
        return this.#list(type.of, value);
      case "map":
        return this.#map(type.of, value);
      case "pointer":
        return this.value(type.of, value);
      case "paramValue":
        return this.#paramValue(value);
      case "time":
        return this.#parsed(parseTime, value, "a time such as 2026-01-31T12:00:00Z");
      case "duration":
        return this.#parsed(parseDuration, value, "a duration such as 1h30m");
      case "quantity":
        return this.#quantity(value);
      case "intOrString":
        return typeof value === "string" ? this.#mended(value) : this.#integer(value, 32);
      case "raw":
        return this.#raw(value);
    }
  }

  #struct(type: GoStruct, value: unknown): unknown {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.#refuse("an object", value);
    if (this.#path.length > maximalDepth) throw tooDeepToRead();
    const object = value as Record<string, unknown>;
    for (const key in object) {
      const field = type.byName.get(key);
      if (field === undefined) continue;
      const member = object[key];
      this.#path.push(key);
      const decoded = member === null ? undefined : this.value(field.type, member);
      this.#path.pop();
      if (decoded !== member) object[key] = decoded;
    }
    return object;
  }

  #list(of: GoType, value: unknown): unknown {
    if (!Array.isArray(value)) return this.#refuse("a list", value);
    for (let i = 0; i < value.length; i++) {
      this.#path.push(i);
      value[i] = value[i] === null ? zeroOf(of) : this.value(of, value[i]);
      this.#path.pop();
    }
    return value;
  }

  #map(of: GoType, value: unknown): unknown {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.#refuse("an object", value);
    const result = new Map<string, unknown>();
    for (const key of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key];
      this.#path.push(key);
      result.set(this.#mended(key), member === null ? zeroOf(of) : this.value(of, member));
      this.#path.pop();
    }
    return result;
  }

  #integer(value: unknown, bits: 32 | 64): number | bigint {
    if (typeof value !== "number") return this.#refuse("an integer", value);
    if (Number.isSafeInteger(value) && !this.#source.mayHaveFractions && !this.#insideList())
      return bits === 64 || (value >= -(2 ** 31) && value < 2 ** 31) ? value + 0 : this.#refuse("a 32-bit integer", value);
    // Go reads the spelling: 1.0 and 1e3 are no integers, and 9007199254740993 is one
    const text = this.#text();
    if (!/^-?\d+$/.test(text)) return this.#refuse("an integer without fraction or exponent", value);
    const exact = text.length > 20 ? undefined : BigInt(text);
    if (exact === undefined || BigInt.asIntN(bits, exact) !== exact) return this.#refuse(`a ${bits}-bit integer`, value);
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  }

  /** Numbers in lists are too rare to be worth a cheap test of the whole text. */
  #insideList(): boolean {
    return typeof this.#path.at(-1) === "number";
  }

  /** What is neither a string, a list of strings nor an object of strings becomes a string: its own JSON text, as it was sent. */
  #paramValue(value: unknown): ParamValue {
    if (typeof value === "string") return { kind: "string", text: this.#mended(value) };
    if (Array.isArray(value) && value.every(isTextOrNull)) return { kind: "list", items: value.map((item) => this.#mended(item ?? "")) };
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const entries = Object.entries(value);
      if (entries.every(([, member]) => isTextOrNull(member)))
        return { kind: "object", entries: new Map(entries.map(([key, member]) => [this.#mended(key), this.#mended(member ?? "")])) };
    }
    return { kind: "string", text: this.#mended(this.#text()) };
  }

  #quantity(value: unknown): string {
    const text = typeof value === "string" ? value : typeof value === "number" ? this.#text() : undefined;
    return (text === undefined ? undefined : canonicalQuantity(text)) ?? this.#refuse("a quantity such as 500m or 1Gi", value);
  }

  #raw(value: unknown): RawJson {
    const source = this.#source;
    const path = [...this.#path];
    return new RawJson(value, () => source.textAt(path) ?? "null");
  }

  #parsed<T>(parse: (text: string) => T | undefined, value: unknown, what: string): T {
    return (typeof value === "string" ? parse(value) : undefined) ?? this.#refuse(what, value);
  }

  #mended(text: string): string {
    return this.#mendStrings ? text.toWellFormed() : text;
  }

  #text(): string {
    return this.#source.textAt(this.#path) ?? "null";
  }

  #refuse(expected: string, value: unknown): never {
    const found = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
    const hint = typeof value === "string" || typeof value === "number" ? " that does not fit" : "";
    throw new CountersignError("read.wrong-type", `${pathText(this.#path)} must be ${expected}, but is ${found}${hint}`, {
      retry: "never",
    });
  }
}

const isTextOrNull = (value: unknown): value is string | null => typeof value === "string" || value === null;

/** What Go has where JSON says null inside of a list or map. */
export function zeroOf(type: GoType): unknown {
  switch (type.kind) {
    case "string":
      return "";
    case "bool":
      return false;
    case "integer":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "paramValue":
      return { kind: "string", text: "" } satisfies ParamValue;
    case "struct":
      return {};
    default:
      return undefined;
  }
}

/** ".status.steps[0].name" */
export const pathText = (path: readonly (string | number)[]): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join("") || "the run";
