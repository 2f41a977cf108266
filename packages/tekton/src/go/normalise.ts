import type { ParamValue } from "../param-value.ts";
import { durationText } from "./duration.ts";
import { type GoField, type GoStruct, type GoType, goStruct } from "./go-type.ts";
import { type Json, type JsonObject, RawJson } from "./json.ts";
import { type GoTime, isZeroTime, secondsText } from "./time.ts";

/**
 * Writes a decoded struct as Go would write it again: fields in declaration order, empty ones left out where the field says so, and the
 * fields that Go never leaves out filled with their zero ("computeResources":{}, "taskRunTemplate":{}, "lastTransitionTime":null).
 * undefined stands for the zero struct.
 */
export function normalise(structName: string, decoded: unknown): JsonObject {
  return struct(goStruct(structName), (decoded ?? {}) as Record<string, unknown>);
}

function struct(type: GoStruct, decoded: Record<string, unknown>): JsonObject {
  const result: Record<string, Json> = {};
  for (const field of type.fields) {
    const value = decoded[field.name];
    if (value === undefined && field.omitEmpty && vanishesWhenAbsent(field)) continue;
    if (field.omitEmpty && isEmpty(field.type, value)) continue;
    if (field.omitZero && (value === undefined || isZeroTime(value as GoTime))) continue;
    result[field.name] = written(field.type, value);
  }
  return result;
}

/** omitempty has no hold on types that are structs in Go. */
function vanishesWhenAbsent({ type, omitZero }: GoField): boolean {
  return omitZero || !["struct", "time", "raw", "intOrString", "paramValue", "quantity"].includes(type.kind);
}

function isEmpty(type: GoType, value: unknown): boolean {
  if (type.kind === "string") return value === "";
  if (type.kind === "bool") return value === false;
  if (type.kind === "integer") return value === 0;
  if (type.kind === "list") return (value as readonly unknown[]).length === 0;
  return type.kind === "map" && (value as ReadonlyMap<string, unknown>).size === 0;
}

function written(type: GoType, value: unknown): Json {
  switch (type.kind) {
    case "string":
      return (value ?? "") as string;
    case "bool":
      return (value ?? false) as boolean;
    case "integer":
    case "intOrString":
      return (value ?? 0) as number | bigint | string;
    case "quantity":
      return (value ?? "0") as string;
    case "struct":
      return struct(type, (value ?? {}) as Record<string, unknown>);
    case "pointer":
      return value === undefined ? null : written(type.of, value);
    case "list":
      return value === undefined ? null : (value as readonly unknown[]).map((item) => written(type.of, item));
    case "map":
      return value === undefined ? null : map(type.of, value as ReadonlyMap<string, unknown>);
    case "paramValue":
      return paramValueJson(value as ParamValue | undefined);
    case "time":
      return value === undefined || isZeroTime(value as GoTime) ? null : secondsText(value as GoTime);
    case "duration":
      return durationText((value ?? 0n) as bigint);
    case "raw":
      return value instanceof RawJson ? value : null;
  }
}

const map = (of: GoType, value: ReadonlyMap<string, unknown>): Json =>
  of.kind === "string" ? (value as ReadonlyMap<string, string>) : new Map([...value].map(([key, member]) => [key, written(of, member)]));

/** Where the key `value` was missing, the reference can write no payload at all; we write the empty string that the author meant. */
export function paramValueJson(value: ParamValue | undefined): Json {
  if (value === undefined) return "";
  if (value.kind === "string") return value.text;
  return value.kind === "list" ? value.items : value.entries;
}
