import type { Annotations } from "@countersign/core";
import { type SourceNode, SourceText, sourceNodeText } from "@countersign/tekton";
import { isMap, parseDocument } from "yaml";
import { isJson } from "./is-json.ts";

/** A run's text with more annotations. Everything else stays as it was spelled: number spellings decide the bytes of payloads. */
export function annotatedText(text: string, annotations: Annotations): string {
  return /^\s*\{/.test(text) && isJson(text) ? annotatedJson(text, annotations) : annotatedYaml(text, annotations);
}

function annotatedYaml(text: string, annotations: Annotations): string {
  const document = parseDocument(text);
  const place = ["metadata", "annotations"];
  if (!isMap(document.getIn(place))) document.setIn(place, document.createNode({}));
  for (const [key, value] of Object.entries(annotations)) document.setIn([...place, key], value);
  return document.toString({ lineWidth: 0 });
}

function annotatedJson(text: string, annotations: Annotations): string {
  const root = new SourceText(text).tree() as Map<string, SourceNode>;
  const metadata = innerMap(root, "metadata");
  const own = innerMap(metadata, "annotations");
  for (const [key, value] of Object.entries(annotations)) own.set(key, JSON.stringify(value));
  const [, indent = ""] = /^\{\r?\n([ \t]+)/.exec(text.trimStart()) ?? [];
  return `${indent ? indentedText(root, indent, "\n") : sourceNodeText(root)}\n`;
}

function innerMap(outer: Map<string, SourceNode>, key: string): Map<string, SourceNode> {
  const there = outer.get(key);
  const inner = there instanceof Map ? there : new Map<string, SourceNode>();
  outer.set(key, inner);
  return inner;
}

/** As JSON.stringify indents, with every scalar spelled as it was. */
function indentedText(node: SourceNode, indent: string, newline: string): string {
  if (typeof node === "string") return node;
  const inner = newline + indent;
  const members = Array.isArray(node)
    ? node.map((member) => indentedText(member, indent, inner))
    : [...node].map(([key, member]) => `${JSON.stringify(key)}: ${indentedText(member, indent, inner)}`);
  const [open, close] = Array.isArray(node) ? "[]" : "{}";
  return members.length === 0 ? `${open}${close}` : `${open}${inner}${members.join(`,${inner}`)}${newline}${close}`;
}
