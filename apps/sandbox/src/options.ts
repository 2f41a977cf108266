import { parseArgs } from "node:util";

export interface StoryOptions {
  /** Leave servers and controller running until Ctrl-C. */
  readonly keep: boolean;
  /** Tell the story on this cluster instead of the sandbox. */
  readonly kubeconfig: string | undefined;
  readonly output: "text" | "json";
  readonly help: boolean;
}

export const usage = `npm start — attest a few finished Tekton runs and verify what came of it.

Starts a small Kubernetes API, an OCI registry, a Fulcio and a Rekor in this process, the real controller beside them, applies the
runs of examples/quickstart, waits until they are marked, and verifies what lies in the registry and on the runs: with a key, and
then keyless and offline.

  npm start -- --keep               leave everything running, with a kubeconfig for kubectl
  npm start -- --kubeconfig FILE    the same story on your cluster, in a namespace of its own (countersign-quickstart)
  npm start -- --output json        the result for scripts
  npm start -- --help

Exit codes: 0 everything verified, 1 something did not, 2 unknown flags, 130 interrupted.
`;

/** @throws TypeError with a sentence for people */
export function parseOptions(args: readonly string[]): StoryOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: "boolean" },
      kubeconfig: { type: "string" },
      output: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { keep = false, kubeconfig, output = "text", help = false } = values;
  if (output !== "text" && output !== "json") throw new TypeError(`--output ${output} is not known: text or json`);
  return { keep, kubeconfig, output, help };
}
