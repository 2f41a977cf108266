import { maximalDepth, tooDeepToRead } from "./depth.ts";

/** Where a value begins and ends in the text, and where its members do. */
interface Span {
  readonly start: number;
  end: number;
  members: Map<string, Span> | Span[] | undefined;
}

/** An object, a list, or the text of a scalar. */
export type SourceNode = Map<string, SourceNode> | SourceNode[] | string;

export type JsonPath = readonly (string | number)[];

/**
 * Valid JSON, asked for the spelling of single values: JSON.parse loses how a number was written and in which order keys stood.
 * The text is scanned once, at the first question; most runs never ask.
 */
export class SourceText {
  readonly text: string;
  #root: Span | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** The text of one value, or undefined when the path leads nowhere. Of duplicate keys the last counts, as with JSON.parse. */
  textAt(path: JsonPath): string | undefined {
    this.#root ??= scan(this.text);
    let span: Span | undefined = this.#root;
    for (const step of path) {
      if (Array.isArray(span?.members)) span = span.members[step as number];
      else span = span?.members?.get(String(step));
    }
    return span && this.text.slice(span.start, span.end);
  }

  /**
   * The whole text as a tree in which every scalar keeps its spelling; of duplicate keys the last counts.
   * @throws CountersignError read.too-deep
   */
  tree(): SourceNode {
    this.#root ??= scan(this.text);
    return nodeFrom(this.text, this.#root, 0);
  }

  #fractions: boolean | undefined;
  /** May a member's number be spelled with a fraction or an exponent? False alarms inside of strings are possible and harmless. */
  get mayHaveFractions(): boolean {
    this.#fractions ??= /":[ \t\r\n]*-?\d+[.eE]/.test(this.text);
    return this.#fractions;
  }

  #loneSurrogates: boolean | undefined;
  /** May a string hold half of a surrogate pair? */
  get mayHaveLoneSurrogates(): boolean {
    this.#loneSurrogates ??= (this.text.includes("\\u") && /\\u[dD][89a-fA-F]/.test(this.text)) || !this.text.isWellFormed();
    return this.#loneSurrogates;
  }
}

function nodeFrom(text: string, { start, end, members }: Span, depth: number): SourceNode {
  if (members === undefined) return text.slice(start, end);
  if (depth > maximalDepth) throw tooDeepToRead();
  if (Array.isArray(members)) return members.map((span) => nodeFrom(text, span, depth + 1));
  return new Map([...members].map(([key, span]) => [key, nodeFrom(text, span, depth + 1)]));
}

export function sourceNodeText(node: SourceNode): string {
  if (typeof node === "string") return node;
  if (Array.isArray(node)) return `[${node.map(sourceNodeText).join(",")}]`;
  return `{${[...node].map(([key, member]) => `${JSON.stringify(key)}:${sourceNodeText(member)}`).join(",")}}`;
}

/** Iterative, so that deep nesting is no danger. The text must be valid JSON. */
function scan(text: string): Span {
  const open: { span: Span; key: string | undefined }[] = [];
  let root: Span | undefined;
  let at = 0;
  for (;;) {
    at = skipBlanks(text, at);
    const here = open.at(-1);
    const character = text.charCodeAt(at);
    if (here && (character === closeBrace || character === closeBracket)) {
      here.span.end = ++at;
      open.pop();
      if (open.length === 0) return here.span;
      continue;
    }
    if (character === comma) {
      at++;
      continue;
    }
    if (here?.span.members instanceof Map && here.key === undefined) {
      const end = stringEnd(text, at);
      here.key = JSON.parse(text.slice(at, end)) as string;
      at = skipBlanks(text, end) + 1;
      continue;
    }
    const span: Span = { start: at, end: at, members: undefined };
    root ??= span;
    if (here) attach(here, span);
    if (character === openBrace || character === openBracket) {
      span.members = character === openBrace ? new Map() : [];
      open.push({ span, key: undefined });
      at++;
      continue;
    }
    at = character === quote ? stringEnd(text, at) : scalarEnd(text, at);
    span.end = at;
    if (open.length === 0) return root;
  }
}

function attach(parent: { span: Span; key: string | undefined }, span: Span): void {
  if (Array.isArray(parent.span.members)) parent.span.members.push(span);
  else parent.span.members?.set(parent.key as string, span);
  parent.key = undefined;
}

const [quote, comma, backslash] = [0x22, 0x2c, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

function skipBlanks(text: string, from: number): number {
  let at = from;
  for (let c = text.charCodeAt(at); c === 0x20 || (c >= 0x09 && c <= 0x0d); c = text.charCodeAt(at)) at++;
  return at;
}

function stringEnd(text: string, from: number): number {
  let at = from + 1;
  for (let c = text.charCodeAt(at); c !== quote; c = text.charCodeAt(at)) {
    if (at >= text.length) return at;
    at += c === backslash ? 2 : 1;
  }
  return at + 1;
}

function scalarEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !/[,\]}\s]/.test(text.charAt(at))) at++;
  return at;
}
