import { type ChainsConfig, ConfigError, type ParsedConfig, parseConfig, type Remark } from "@countersign/config";
import { Command } from "commander";
import colors from "picocolors";
import { configMapFrom } from "./config-map.ts";
import { effectiveSettings, type Setting } from "./effective-settings.ts";
import { exitCode } from "./exit-code.ts";
import { jsonText, type OutputForm, outputOption } from "./output-option.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly output: OutputForm;
  readonly strict?: boolean;
}

/** The answer to `--output json`. */
export interface ConfigCheck {
  readonly valid: boolean;
  readonly problems: readonly Remark[];
  readonly warnings: readonly Remark[];
  /** Accepted, and not to be had in this version: what uses it waits. */
  readonly unsupported: readonly string[];
  /** Empty when there are problems: nothing of such a ConfigMap takes effect. */
  readonly settings: readonly Setting[];
}

export function checkConfigCommand(terminal: Terminal): Command {
  return new Command("check-config")
    .description("Say what a chains-config means: problems, warnings, and the settings that take effect.")
    .argument("<file>", 'a ConfigMap or a plain map of its keys, YAML or JSON; "-" is standard input')
    .option("--strict", "warnings and unsupported plug-ins count as problems")
    .addOption(outputOption())
    .addHelpText("after", examples)
    .action(async (file: string, { output, strict = false }: Options) => {
      const name = file === "-" ? "standard input" : file;
      const check = await checked(configMapFrom(await terminal.readText(file), name));
      terminal.out(output === "json" ? jsonText(check) : checkText(check, name, terminal.color));
      const { problems, warnings, unsupported } = check;
      if (problems.length > 0 || (strict && warnings.length + unsupported.length > 0)) terminal.exitWith(exitCode.no);
    });
}

async function checked(map: Readonly<Record<string, string>>): Promise<ConfigCheck> {
  let parsed: ParsedConfig;
  try {
    parsed = parseConfig(map);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { valid: false, problems: error.problems, warnings: error.warnings, unsupported: [], settings: [] };
  }
  const { unsupportedIn } = await import("@countersign/catalog");
  const { config } = parsed;
  const warnings = [...parsed.warnings, ...(await placesAmiss(config))];
  return { valid: true, problems: [], warnings, unsupported: unsupportedIn(config), settings: effectiveSettings(map, warnings) };
}

/** Accepted as a text, and of no use to whoever stores: said here, before a run has to find out. */
async function placesAmiss({ storage }: ChainsConfig): Promise<readonly Remark[]> {
  const { parseRepository } = await import("@countersign/oci-client");
  const { repository } = storage.oci;
  if (!repository || parseRepository(repository)) return [];
  const key = "storage.oci.repository";
  return [{ key, sentence: `${key} is no repository: give one like registry.example/team/signatures, without scheme, tag or digest` }];
}

function checkText({ problems, warnings, unsupported, settings }: ConfigCheck, file: string, color: boolean): string {
  const { bold, dim, red, yellow, green } = colors.createColors(color);
  const lines = [
    ...problems.map(({ sentence }) => `${red("problem")}  ${printable(sentence)}\n`),
    ...warnings.map(({ sentence }) => `${yellow("warning")}  ${printable(sentence)}\n`),
    ...unsupported.map(
      (what) => `${yellow("missing")}  ${printable(what)} is not supported by this version: what uses it waits, the rest goes on\n`,
    ),
  ];
  const verdict =
    problems.length > 0
      ? red(`${file} would be refused; the configuration before it would stay in force`)
      : green(`${file} is accepted${lines.length > 0 ? ", see above" : ""}`);
  const rows = settings.map(({ key, value, from }) => [key, printable(value), from]);
  const head = settings.length > 0 ? [["KEY", "VALUE", "FROM"]] : [];
  const painted = table([...head, ...rows], (cell, _, row) =>
    row === 0 ? bold(cell) : settings[row - 1]?.from === "default" ? dim(cell) : cell,
  );
  return `${lines.join("")}${verdict}\n${painted && `\n${painted}`}`;
}

const examples = `
Examples:
  countersign check-config chains-config.yaml
  kubectl get cm chains-config -n tekton-chains -o yaml | countersign check-config - --strict
  echo '{"artifacts.taskrun.format": "slsa/v2"}' | countersign check-config - --output json

Exit codes: 0 accepted; 1 problems (with --strict: or warnings); 3 the file cannot be read.
`;
