import { Option } from "commander";

export type OutputForm = "text" | "json";

/** The same option on every command: text for people, JSON of a stable shape for scripts. */
export const outputOption = (): Option =>
  new Option("-o, --output <form>", "text for people, json for scripts").choices(["text", "json"]).default("text");

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
