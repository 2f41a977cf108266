import convict from "convict";

/** The process's own settings: flags and environment of Tekton Chains' controller, and a few of ours. */
export interface Settings {
  readonly namespaces: readonly string[];
  readonly visitsAtOnce: number;
  readonly kubeconfig: string;
  readonly cluster: string;
  readonly server: string;
  readonly signingSecrets: string;
  readonly systemNamespace: string;
  readonly keepFinalizer: boolean;
  readonly watchIdleMs: number;
  readonly graceMs: number;
  readonly metricsPort: number;
  readonly probePort: number;
  readonly caBundle: string;
  readonly logLevel: string;
}

const schema = {
  namespace: {
    doc: "Watch only these namespaces, a comma list; RoleBindings there suffice",
    format: String,
    default: "",
    arg: "namespace",
  },
  threads: {
    doc: "Workers per kind; the controller visits twice as many runs at once",
    format: "nat",
    default: 8,
    arg: "threads-per-controller",
  },
  kubeconfig: {
    doc: "Path of a kubeconfig, for running outside a cluster",
    format: String,
    default: "",
    env: "KUBECONFIG",
    arg: "kubeconfig",
  },
  cluster: { doc: "Name of the kubeconfig's cluster to use", format: String, default: "", arg: "cluster" },
  server: { doc: "URL of the API server, instead of the kubeconfig's", format: String, default: "", arg: "server" },
  signingSecrets: {
    doc: "Folder with cosign.key and cosign.password, or x509.pem",
    format: String,
    default: "/etc/signing-secrets",
    arg: "signing-secrets",
  },
  systemNamespace: {
    doc: "Namespace of chains-config; in a pod, its own",
    format: String,
    default: "",
    env: "SYSTEM_NAMESPACE",
    arg: "system-namespace",
  },
  keepFinalizer: {
    doc: "Leave the finalizer on signed runs until they are deleted, as Tekton Chains does",
    format: Boolean,
    default: false,
    arg: "keep-finalizer",
  },
  watchIdle: {
    doc: "Seconds of silence after which a watch is taken for dead",
    format: "nat",
    default: 100,
    env: "COUNTERSIGN_WATCH_IDLE",
    arg: "watch-idle",
  },
  grace: {
    doc: "Seconds that visits under way have to end after SIGTERM",
    format: "nat",
    default: 8,
    env: "COUNTERSIGN_GRACE",
    arg: "grace",
  },
  metricsPort: {
    doc: "Port of /metrics; 0 turns it off",
    format: "nat",
    default: 9090,
    env: "METRICS_PROMETHEUS_PORT",
    arg: "metrics-port",
  },
  probePort: {
    doc: "Port of /health and /readiness; 0 turns it off",
    format: "nat",
    default: 8080,
    env: "COUNTERSIGN_PROBE_PORT",
    arg: "probe-port",
  },
  caBundle: {
    doc: "PEM file with CAs that registries may use, beside the system's",
    format: String,
    default: "",
    env: "COUNTERSIGN_CA_BUNDLE",
    arg: "ca-bundle",
  },
  logLevel: {
    doc: "debug, info, warn or error",
    format: ["debug", "info", "warn", "error"],
    default: "info",
    env: "COUNTERSIGN_LOG_LEVEL",
    arg: "log-level",
  },
} as const;

/** Flags that Tekton Chains' controller takes and that change nothing here. */
const ignoredWithValue = [
  "kube-api-qps",
  "kube-api-burst",
  "v",
  "vmodule",
  "stderrthreshold",
  "log_dir",
  "log_file",
  "log_file_max_size",
  "log_backtrace_at",
  "legacy_stderr_threshold_behavior",
];
const ignoredSwitches = [
  "disable-ha",
  "logtostderr",
  "alsologtostderr",
  "alsologtostderrthreshold",
  "add_dir_header",
  "skip_headers",
  "skip_log_headers",
  "one_output",
];
const switches = ["keep-finalizer", ...ignoredSwitches];

export type ParsedSettings =
  | { readonly kind: "settings"; readonly settings: Settings; readonly ignored: readonly string[] }
  | { readonly kind: "help" }
  | { readonly kind: "usage"; readonly problem: string };

/** Flags in all of Go's spellings (-flag=v, --flag v, -switch), then the environment, then the defaults. */
export function parseSettings(args: readonly string[], env: NodeJS.ProcessEnv): ParsedSettings {
  const flags = parseFlags(args);
  if (flags.kind !== "flags") return flags;
  try {
    const read = convict(schema as never, {
      env: env as never,
      args: flags.known.map(([name, value]) => `--${name}=${value}`),
    }) as unknown as Read;
    read.validate({ allowed: "strict" });
    return { kind: "settings", settings: settingsOf((name) => read.get(name)), ignored: flags.ignored };
  } catch (error) {
    return { kind: "usage", problem: (error as Error).message.replaceAll("\n", "; ") };
  }
}

/** convict's types want one shape; each row here has its own. */
interface Read {
  validate(options: { allowed: "strict" }): void;
  get(name: string): never;
}

function settingsOf(get: (name: keyof typeof schema) => never): Settings {
  const namespaces = String(get("namespace"))
    .split(",")
    .map((name) => name.trim());
  return {
    namespaces: namespaces.filter((name) => name !== ""),
    visitsAtOnce: Math.max(1, 2 * Number(get("threads"))),
    kubeconfig: get("kubeconfig"),
    cluster: get("cluster"),
    server: get("server"),
    signingSecrets: get("signingSecrets"),
    systemNamespace: get("systemNamespace"),
    keepFinalizer: get("keepFinalizer"),
    watchIdleMs: Number(get("watchIdle")) * 1000,
    graceMs: Number(get("grace")) * 1000,
    metricsPort: get("metricsPort"),
    probePort: get("probePort"),
    caBundle: get("caBundle"),
    logLevel: get("logLevel"),
  };
}

type Flags = { readonly kind: "flags"; readonly known: readonly (readonly [string, string])[]; readonly ignored: readonly string[] };

function parseFlags(args: readonly string[]): Flags | Exclude<ParsedSettings, { kind: "settings" }> {
  const takesValue = [...Object.values(schema).map(({ arg }) => arg as string), ...ignoredWithValue].filter(
    (name) => !switches.includes(name),
  );
  // As in Go, the last of a flag counts.
  const known = new Map<string, string>();
  const ignored: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [, name = "", inline] = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(args[at] ?? "") ?? [];
    if (name === "h" || name === "help") return { kind: "help" };
    const isSwitch = switches.includes(name);
    if (!isSwitch && !takesValue.includes(name)) return { kind: "usage", problem: `flag provided but not defined: ${args[at]}` };
    const value = inline ?? (isSwitch ? "true" : args[++at]);
    if (value === undefined) return { kind: "usage", problem: `flag needs an argument: -${name}` };
    if (ignoredWithValue.includes(name) || ignoredSwitches.includes(name)) ignored.push(name);
    else known.set(name, value);
  }
  return { kind: "flags", known: [...known], ignored };
}

/** What --help prints. */
export function usage(): string {
  const rows = Object.values(schema).map(({ arg, doc, default: value, ...more }) => {
    const env = "env" in more ? ` [$${more.env}]` : "";
    return `  --${arg}\n        ${doc}${env} (default ${JSON.stringify(value)})`;
  });
  return [
    "countersign-controller attests Tekton runs: it watches TaskRuns and PipelineRuns, writes signed provenance when they finish, and marks them.",
    "",
    "Usage: countersign-controller [flags]      (each as -flag=value, --flag value or --flag=value)",
    "",
    ...rows,
    "",
    `Accepted for compatibility, without effect: ${[...ignoredWithValue, ...ignoredSwitches].map((name) => `-${name}`).join(" ")}`,
    "",
    "What to sign, with which key, and where to store it stands in the ConfigMap chains-config; see docs/configuration.md.",
    "Exit codes: 0 stopped by SIGTERM or SIGINT, 1 could not start, was told to stop twice or met a bug, 2 unusable flags.",
    "",
  ].join("\n");
}
