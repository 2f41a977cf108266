import { CountersignError } from "@countersign/core";
import { type Document, parseAllDocuments } from "yaml";

/**
 * The data of a ConfigMap, or a plain map of its keys, out of YAML or JSON; of a stream of several objects, that of chains-config. Values
 * are as they stand there; what is no text is for parseConfig to refuse.
 *
 * @throws CountersignError "config.not-a-map"; the text is never quoted
 */
export function configMapFrom(text: string, file: string): Readonly<Record<string, string>> {
  const documents = [...parseAllDocuments(text)] as readonly Document[];
  const [error] = documents.flatMap(({ errors }) => errors);
  if (error) throw notAMap(`${file} is no valid YAML or JSON${error.linePos ? ` (line ${error.linePos[0].line})` : ""}: correct it there`);
  const values = documents.map((document): unknown => document.toJS());
  if (values.length <= 1) return dataOf(values[0], file);
  const named = values.find(
    (value) => (value as Shape | null)?.kind === "ConfigMap" && (value as Shape).metadata?.name === "chains-config",
  );
  if (named === undefined) throw notAMap(`${file} holds ${values.length} objects and none is the ConfigMap chains-config: give that one`);
  return dataOf(named, file);
}

interface Shape {
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown };
  readonly data?: unknown;
  readonly binaryData?: unknown;
}

function dataOf(value: unknown, file: string): Readonly<Record<string, string>> {
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw notAMap(`${file} holds no map: give a ConfigMap, or keys with their values`);
  const { kind, data, binaryData } = value as Shape;
  if (kind === undefined) return value as Readonly<Record<string, string>>;
  if (kind !== "ConfigMap")
    throw notAMap(`${file} holds a ${JSON.stringify(kind).slice(0, 40)}, not a ConfigMap: give the ConfigMap chains-config`);
  if (binaryData) throw notAMap(`${file} keeps values in binaryData, which nobody reads: move them to data`);
  return (data ?? {}) as Readonly<Record<string, string>>;
}

const notAMap = (sentence: string): CountersignError => new CountersignError("config.not-a-map", sentence, { retry: "hold" });
