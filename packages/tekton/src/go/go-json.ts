import { maximalDepth, tooDeepToWrite } from "../depth.ts";
import { sortedByBytes } from "./byte-order.ts";
import { type Json, type JsonObject, RawJson } from "./json.ts";
import { quoted } from "./proto-json.ts";

/**
 * JSON as Go's encoding/json writes it: struct fields in declaration order (the order of the object handed in), map keys sorted by bytes,
 * integers exact, and HTML's dangerous characters escaped.
 */
export function goJson(value: Json | undefined, depth = 0): string {
  if (typeof value === "string") return escaped(quoted(value));
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return String(value);
  if (depth > maximalDepth) throw tooDeepToWrite();
  if (Array.isArray(value)) return `[${value.map((element) => goJson(element, depth + 1)).join(",")}]`;
  if (value instanceof Map) return members(sortedByBytes([...value.keys()]), (key) => value.get(key), depth);
  if (value instanceof RawJson) return escaped(compacted(value.text));
  const object = value as JsonObject;
  return members(Object.keys(object), (key) => object[key], depth);
}

function members(keys: readonly string[], memberOf: (key: string) => Json | undefined, depth: number): string {
  let text = "";
  for (const key of keys) {
    const value = memberOf(key);
    if (value !== undefined) text += `${text === "" ? "{" : ","}${escaped(quoted(key))}:${goJson(value, depth + 1)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

const dangerous = /[<>&\u2028\u2029]/g;
const escaped = (json: string): string =>
  json.replace(dangerous, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** JSON text without the white space between its tokens; strings, numbers and key order as they are. */
export const compacted = (json: string): string => json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, string: string) => string ?? "");
