import { CountersignError } from "@countersign/core";
import { parseDocument } from "yaml";

/**
 * The data of a ConfigMap, or a plain map of its keys, out of YAML or JSON. Values are as they stand there; what is no text is for
 * parseConfig to refuse.
 *
 * @throws CountersignError "config.not-a-map"; the text is never quoted
 */
export function configMapFrom(text: string, file: string): Readonly<Record<string, string>> {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw notAMap(`${file} is no valid YAML or JSON${error.linePos ? ` (line ${error.linePos[0].line})` : ""}: correct it there`);
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw notAMap(`${file} holds no map: give a ConfigMap, or keys with their values`);
  const { kind, data, binaryData } = value as { kind?: unknown; data?: unknown; binaryData?: unknown };
  if (kind === undefined) return value as Readonly<Record<string, string>>;
  if (kind !== "ConfigMap")
    throw notAMap(`${file} holds a ${JSON.stringify(kind).slice(0, 40)}, not a ConfigMap: give the ConfigMap chains-config`);
  if (binaryData) throw notAMap(`${file} keeps values in binaryData, which nobody reads: move them to data`);
  return (data ?? {}) as Readonly<Record<string, string>>;
}

const notAMap = (sentence: string): CountersignError => new CountersignError("config.not-a-map", sentence, { retry: "hold" });
