import { Command } from "commander";
import colors from "picocolors";
import { type Verification, verificationText } from "./checked.ts";
import { type ClusterOptions, clusterOptions } from "./cluster.ts";
import { exitCode } from "./exit-code.ts";
import { jsonText, type OutputForm, outputOption } from "./output-option.ts";
import type { Terminal } from "./terminal.ts";
import { checkTrustOptions, type TrustOptions, trustOptions } from "./trust-options.ts";

interface Options extends TrustOptions, ClusterOptions {
  readonly type?: string;
  readonly builder?: readonly string[];
  readonly output: OutputForm;
}

interface ImageOptions extends Options {
  readonly repository?: string;
  readonly insecure?: boolean;
}

interface RunOptions extends Options {
  readonly namespace?: string;
}

export function verifyCommand(terminal: Terminal): Command {
  const answer = ({ code = exitCode.no, ...verification }: Verification, output: OutputForm): void => {
    terminal.out(output === "json" ? jsonText(verification) : verificationText(verification, colors.createColors(terminal.color)));
    if (!verification.accepted) terminal.exitWith(code);
  };
  const image = withTrustOptions(new Command("image"))
    .description("Check what is attached to an image: signatures and attestations in cosign's tags and in sigstore bundles.")
    .argument("<reference>", "registry/repository@sha256:…, or a tag, which is looked up")
    .option("--repository <repository>", "where tags with signatures are kept instead of beside the image; default: COSIGN_REPOSITORY")
    .option("--insecure", "accept registries without TLS or with a certificate that nobody vouches for")
    .addHelpText("after", imageHelp)
    .action(async (reference: string, options: ImageOptions, command: Command) => {
      checkTrustOptions(options, command);
      const { verifyImage } = await import("./verify-image.ts");
      answer(await verifyImage(reference, options, terminal), options.output);
    });
  const run = withTrustOptions(new Command("run"))
    .description("Check the annotations of a run, where the tekton storage keeps signatures and payloads.")
    .argument("<run>", 'a file ("-" is standard input), or taskrun/NAME or pipelinerun/NAME in the cluster')
    .option("-n, --namespace <namespace>", "of a run in the cluster; default: the kubeconfig's")
    .addHelpText("after", runHelp)
    .action(async (name: string, options: RunOptions, command: Command) => {
      checkTrustOptions(options, command);
      const { verifyRun } = await import("./verify-run.ts");
      answer(await verifyRun(name, options, terminal), options.output);
    });
  return new Command("verify").description("Check who signed an image or a run, and what they said.").addCommand(image).addCommand(run);
}

function withTrustOptions(command: Command): Command {
  for (const option of trustOptions()) command.addOption(option);
  command
    .option("--type <type>", "only this counts: slsaprovenance (v0.2), slsaprovenance1 (v1), another predicate type, or signature")
    .option("--builder <id...>", "only provenance of this builder.id counts")
    .addOption(outputOption());
  for (const option of clusterOptions()) command.addOption(option);
  return command;
}

const imageHelp = `
Verified means: at least one signature or attestation of this image (with --type and --builder: of that kind) was made with this key, or by the holder
of a certificate with this identity, and was seen by a trusted log where one is asked for. What others attached is listed and does not matter.

Examples:
  countersign verify image registry.example/app:1.0 --key cosign.pub
  countersign verify image registry.example/app@sha256:… --key cosign.pub --type slsaprovenance1 --builder https://tekton.dev/chains/v2
  countersign verify image registry.example/app:1.0 --certificate-identity builder@example.org --certificate-oidc-issuer https://issuer.example
  countersign verify image registry.example/app:1.0 --key cosign.pub --trusted-root trusted_root.json --offline
  countersign verify image registry.example/app:1.0 --key k8s://tekton-chains/signing-secrets -o json

Exit codes: 0 verified; 10 nothing is attached; 11 no such tag; 12 no signature passes; 13 none has a certificate; 1 not verified, of attestations
(--type) and of bundles; 2 usage; 3 it could not be found out.
`;

const runHelp = `
Verified means: the run carries at least one signed payload, and every one of them (with --type: of that kind) was made with this key, or by the holder
of a certificate with this identity, and is about this run.

Examples:
  countersign verify run run.yaml --key cosign.pub
  countersign verify run taskrun/build -n ci --key k8s://tekton-chains/signing-secrets
  countersign verify run run.yaml --certificate-identity builder@example.org --certificate-oidc-issuer https://issuer.example
  kubectl get pipelinerun release -o json | countersign verify run - --key cosign.pub --type slsaprovenance1

Exit codes: 0 verified; 1 not; 2 usage; 3 it could not be found out.
`;
