import { CountersignError } from "@countersign/core";

/** One thing that is wrong, or was ignored, with one key. */
export interface Remark {
  readonly key: string;
  /** What is wrong, with the way out; names the key. */
  readonly sentence: string;
  readonly allowed?: readonly string[];
  /** The known key or value that was probably meant. */
  readonly nearest?: string;
}

/** "config.invalid", retry "hold": all mistakes of a chains-config at once. */
export class ConfigError extends CountersignError {
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];

  constructor(problems: readonly Remark[], warnings: readonly Remark[]) {
    const sentences = problems.map(({ sentence }) => sentence).join("; ");
    super("config.invalid", `chains-config is refused and the configuration before it stays in force: ${sentences}`, { retry: "hold" });
    this.name = "ConfigError";
    this.problems = problems;
    this.warnings = warnings;
  }
}
