import { maximalDepth, tooDeepToWrite } from "../depth.ts";
import { sortedByBytes } from "./byte-order.ts";
import { type Json, type JsonObject, RawJson } from "./json.ts";

/**
 * JSON as Go's protojson writes a google.protobuf.Struct, without white space (whether the reference puts a blank after commas depends
 * on a hash of its executable): keys sorted by bytes, numbers as doubles, nothing escaped but what JSON demands.
 */
export function protoJson(value: Json | undefined, depth = 0): string {
  if (typeof value === "string") return quoted(value);
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return double(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "bigint") return double(Number(value));
  if (depth > maximalDepth) throw tooDeepToWrite();
  if (Array.isArray(value)) return array(value, depth);
  if (value instanceof Map) return map(value, depth);
  if (value instanceof RawJson) return protoJson(value.value as Json, depth);
  return object(value as JsonObject, depth);
}

function array(values: readonly Json[], depth: number): string {
  let text = "[";
  for (let i = 0; i < values.length; i++) text += (i === 0 ? "" : ",") + protoJson(values[i], depth + 1);
  return `${text}]`;
}

function object(value: JsonObject, depth: number): string {
  let text = "";
  for (const key of sortedByBytes(Object.keys(value))) {
    const member = value[key];
    if (member !== undefined) text += `${text === "" ? "{" : ","}${quoted(key)}:${protoJson(member, depth + 1)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

function map(value: ReadonlyMap<string, Json>, depth: number): string {
  let text = "";
  for (const key of sortedByBytes([...value.keys()]))
    text += `${text === "" ? "{" : ","}${quoted(key)}:${protoJson(value.get(key), depth + 1)}`;
  return text === "" ? "{}" : `${text}}`;
}

const plain = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** A JSON string; a lone surrogate becomes U+FFFD, as Go reads it. */
export function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());
}

const double = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));
