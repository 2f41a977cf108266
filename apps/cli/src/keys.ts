import { randomBytes } from "node:crypto";
import { CountersignError } from "@countersign/core";
import { generateKeyPair } from "@countersign/signers-x509";
import { Command } from "commander";
import { type ClusterOptions, clusterOptions, secretNameFrom } from "./cluster.ts";
import type { KeyFiles, KeysMade } from "./key-files.ts";
import { jsonText, type OutputForm, outputOption } from "./output-option.ts";
import type { Terminal } from "./terminal.ts";

interface GenerateOptions extends ClusterOptions {
  readonly randomPassword?: boolean;
  readonly output: OutputForm;
}

export function keysCommand(terminal: Terminal): Command {
  const generate = new Command("generate")
    .description(
      "Make an ECDSA P-256 key pair in the files of cosign: cosign.key, cosign.pub, and cosign.password, which the signer needs.",
    )
    .argument("[place]", "a folder, or k8s://NAMESPACE/NAME for a Secret", ".")
    .option("--random-password", "choose a password at random instead of asking")
    .addOption(outputOption())
    .addHelpText("after", examples)
    .action(async (place: string, options: GenerateOptions) => {
      const files = async (): Promise<KeyFiles> => {
        const password = await passwordFrom(terminal, options.randomPassword ?? false);
        return { ...(await generateKeyPair(password)), "cosign.password": password };
      };
      const made = await madeAt(place, files, options, terminal);
      terminal.out(options.output === "json" ? jsonText(made) : madeText(made, place));
    });
  for (const option of clusterOptions()) generate.addOption(option);
  return new Command("keys").description("Make a signing key.").addCommand(generate);
}

async function madeAt(place: string, files: () => Promise<KeyFiles>, options: ClusterOptions, { signal }: Terminal): Promise<KeysMade> {
  const secret = secretNameFrom(place);
  if (secret) return (await import("./keys-in-secret.ts")).keysInSecret(secret, files, options, signal);
  if (place.includes("://"))
    throw new CountersignError("config.not-a-place", `"${place}" is no place for keys; give a folder or k8s://NAMESPACE/NAME`, {
      retry: "never",
    });
  return (await import("./keys-in-folder.ts")).keysInFolder(place, files);
}

/** COSIGN_PASSWORD, as cosign takes it, or a person who types it twice. */
async function passwordFrom({ env, askSecret }: Terminal, random: boolean): Promise<string> {
  if (random) return randomBytes(24).toString("base64url");
  const given = env["COSIGN_PASSWORD"];
  if (given !== undefined) return given;
  const first = await askSecret("Password for the private key: ");
  if (first === undefined) throw refused("nobody is here to ask for a password: set COSIGN_PASSWORD, or use --random-password");
  if (first !== (await askSecret("Once more: "))) throw refused("the two passwords differ: nothing was written, try again");
  return first;
}

const refused = (sentence: string): CountersignError => new CountersignError("config.no-password", sentence, { retry: "never" });

function madeText({ written, publicKey }: KeysMade, place: string): string {
  const secret = secretNameFrom(place);
  const next = secret
    ? `Give verifiers this public key; they can also name it as --key ${place}.\n\n${publicKey}`
    : `Keep cosign.key and cosign.password to yourself, give cosign.pub to verifiers.\nNext: countersign attest run.yaml --signing-secrets ${place}\n`;
  return `${written.map((file) => `wrote ${file}\n`).join("")}${next}`;
}

const examples = `
The password comes from COSIGN_PASSWORD, from the keyboard, or with --random-password from chance. A key that is there is never overwritten.

Examples:
  countersign keys generate ./signing-secrets
  COSIGN_PASSWORD= countersign keys generate              # no password
  countersign keys generate k8s://tekton-chains/signing-secrets --random-password
`;
