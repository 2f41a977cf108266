import { type ParsedConfig, parseConfig } from "@countersign/config";
import { CountersignError } from "@countersign/core";
import { parseRun, type Run, SourceText } from "@countersign/tekton";
import { parseAllDocuments } from "yaml";
import { configMapFrom } from "./config-map.ts";
import { isJson } from "./is-json.ts";

/** Reads a file, or standard input for "-". */
export type ReadText = (path: string) => Promise<string>;

export interface StatementInput {
  readonly files: readonly string[];
  readonly children?: readonly string[];
  /** A ConfigMap chains-config, or a plain map of its keys. */
  readonly config?: string;
  /** "key=value", stronger than the file. */
  readonly set?: readonly string[];
}

/** One object of a file, as text. */
interface Item {
  readonly text: string;
  readonly kind?: "TaskRun" | "PipelineRun";
  readonly name: string;
}

export const noFile = (): CountersignError =>
  new CountersignError("read.no-file", 'name at least one file, or "-" for standard input', { retry: "never" });

/** Every run of the files, with the children that belong to it. */
export async function runsFrom({ files, children = [] }: StatementInput, read: ReadText): Promise<readonly Run[]> {
  const childItems = (await Promise.all(children.map(async (path) => itemsOf(await read(path), path)))).flat();
  const items = (await Promise.all(files.map(async (path) => itemsOf(await read(path), path)))).flat();
  return items.map(({ text, kind }) => withChildren(text, kind, childItems));
}

/** Children go in the order of the run's childReferences; where it has none, in the order of the files. */
function withChildren(text: string, kind: Item["kind"], children: readonly Item[]): Run {
  const options = kind ? { kind } : {};
  const run = parseRun(text, options);
  if (run.kind === "TaskRun" || children.length === 0) return run;
  const names = run.childReferences.map(({ name }) => name);
  const stranger = children.find(({ name }) => names.length > 0 && !names.includes(name));
  if (stranger) throw notAChild(stranger.name, run);
  const ordered = [...children].sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  return parseRun(text, { ...options, children: ordered.map((child) => child.text) });
}

const notAChild = (name: string, run: Run): CountersignError =>
  new CountersignError(
    "read.not-a-child",
    `TaskRun ${name} is not among the childReferences of PipelineRun ${run.ref.name}; leave it out`,
    {
      retry: "never",
    },
  );

/** The objects of a JSON or YAML file; a list of kubectl is taken apart. JSON is never parsed and written again: that loses what decides bytes. */
function itemsOf(text: string, path: string): readonly Item[] {
  if (/^\s*\{/.test(text) && isJson(text)) return itemsOfJson(text);
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  const broken = documents.find(({ errors }) => errors.length > 0);
  if (broken) throw new CountersignError("read.not-yaml", `${path} is neither JSON nor YAML`, { retry: "never" });
  return documents.flatMap((document) => itemsOfJson(JSON.stringify(document.toJS() ?? null)));
}

function itemsOfJson(text: string): readonly Item[] {
  const value = JSON.parse(text) as { kind?: unknown; items?: unknown; metadata?: { name?: unknown } } | null;
  const kind = typeof value?.kind === "string" ? value.kind : "";
  if (!kind.endsWith("List") || !Array.isArray(value?.items)) return [{ text, name: String(value?.metadata?.name ?? "") }];
  const source = new SourceText(text);
  const itemKind = kind === "TaskRunList" ? "TaskRun" : kind === "PipelineRunList" ? "PipelineRun" : undefined;
  return value.items.map((item: { metadata?: { name?: unknown } } | null, i) => ({
    text: source.textAt(["items", i]) ?? "null",
    name: String(item?.metadata?.name ?? ""),
    ...(itemKind && { kind: itemKind }),
  }));
}

/** @throws ConfigError with every mistake */
export async function configFrom({ config, set = [] }: StatementInput, read: ReadText): Promise<ParsedConfig> {
  const fromFile = config === undefined ? {} : configMapFrom(await read(config), config);
  return parseConfig({ ...fromFile, ...Object.fromEntries(set.map(keyAndValue)) });
}

function keyAndValue(setting: string): [string, string] {
  const equals = setting.indexOf("=");
  if (equals > 0) return [setting.slice(0, equals), setting.slice(equals + 1)];
  throw new CountersignError("config.not-a-setting", `"${setting}" is not of the form key=value`, { retry: "hold" });
}
