import { ConfigError } from "@countersign/config";
import { CountersignError } from "@countersign/core";

/** A failure as one sentence with the way out. What is not ours may quote its input, so little of it is repeated. */
export interface Fault {
  readonly code: string;
  readonly sentences: readonly string[];
}

const ourNames = ["HttpError", "RegistryError", "KubeError"];

export function faultOf(error: unknown): Fault {
  if (error instanceof ConfigError) return { code: error.code, sentences: error.problems.map(({ sentence }) => sentence) };
  if (CountersignError.is(error)) return { code: error.code, sentences: [error.message] };
  const { name = "Error", message = "", code } = (error ?? {}) as { name?: string; message?: string; code?: unknown };
  if (ourNames.includes(name)) return { code: "read.refused", sentences: [message] };
  if (name === "YAMLParseError") return { code: "read.not-yaml", sentences: [yamlSentence(error)] };
  const word = typeof code === "string" ? ` (${code})` : "";
  return {
    code: "read.unexpected",
    sentences: [`an unexpected ${name}${word}; this is a bug in countersign: please report it, with what COUNTERSIGN_DEBUG=1 prints`],
  };
}

/** The parser's own message repeats the lines around the mistake, and those may hold a token. */
function yamlSentence(error: unknown): string {
  const { linePos } = error as { linePos?: readonly { line: number; col: number }[] };
  const at = linePos?.[0] ? ` (line ${linePos[0].line}, column ${linePos[0].col})` : "";
  return `the configuration is no valid YAML${at}: correct it there`;
}
