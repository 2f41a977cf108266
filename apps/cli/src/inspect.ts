import { Command } from "commander";
import colors from "picocolors";
import { exitCode } from "./exit-code.ts";
import { jsonText, type OutputForm, outputOption } from "./output-option.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly repository?: string;
  readonly insecure?: boolean;
  readonly output: OutputForm;
}

/** `countersign inspect`: what lies beside an image, in both layouts. */
export function inspectCommand(terminal: Terminal): Command {
  return new Command("inspect")
    .description(
      "Show what is attached to an image: signatures and attestations, who claims to have signed, and what logs said. Nothing is verified.",
    )
    .argument("<reference>", "registry/repository@sha256:…, or a tag, which is looked up")
    .option("--repository <repository>", "where tags with signatures are kept instead of beside the image; default: COSIGN_REPOSITORY")
    .option("--insecure", "accept registries without TLS or with a certificate that nobody vouches for")
    .addOption(outputOption())
    .addHelpText("after", examples)
    .action(async (reference: string, { output, ...options }: Options) => {
      const { inspectImage } = await import("./inspect-image.ts");
      const inspection = await inspectImage(reference, options, terminal);
      if (inspection === "no such tag") {
        terminal.err(`countersign: ${reference}: the registry has no such tag; check its spelling, or give the digest\n`);
        return terminal.exitWith(exitCode.noTag);
      }
      const { inspectionText } = await import("./inspect-text.ts");
      terminal.out(output === "json" ? jsonText(inspection) : inspectionText(inspection, colors.createColors(terminal.color)));
      if (inspection.attached.length === 0) terminal.exitWith(exitCode.noSignature);
    });
}

const examples = `
Examples:
  countersign inspect registry.example/app:1.0
  countersign inspect registry.example/app@sha256:… -o json | jq '.attached[].what'

Exit codes: 0 shown; 10 nothing is attached; 11 no such tag; 2 usage; 3 it could not be found out.
`;
