/** One key of chains-config: parser, default, allowed values and documentation at once. */
export interface KeyRow {
  readonly configKey: string;
  /** How the text is read; see formats.ts. */
  readonly format: "text" | "choice" | "go-bool" | "go-set" | "transparency" | "go-duration" | "count";
  /** As it would stand in the ConfigMap; null where no text means "not set". */
  readonly default: string | null;
  readonly allowed?: readonly string[];
  readonly doc: string;
  /** Allowed values that this version has no plug-in for. */
  readonly notYet?: readonly string[];
  /** Of a list: its order means something. */
  readonly keepsOrder?: true;
  /** Never shown. */
  readonly sensitive?: true;
  /** A key of Countersign that Tekton Chains does not know. */
  readonly own?: true;
}

const runFormats = ["in-toto", "slsa/v1", "slsa/v2alpha3", "slsa/v2alpha4"];
const runFormatDoc = "`in-toto` and `slsa/v1` give SLSA provenance v0.2, `slsa/v2alpha3` and `slsa/v2alpha4` give v1.0.";
const signers = { allowed: ["x509", "kms", "none"], notYet: ["kms"] };
const storages = ["tekton", "oci", "gcs", "docdb", "grafeas", "kafka", "archivista"];
const storagesNotYet = ["gcs", "docdb", "grafeas", "kafka", "archivista"];
const text = (configKey: string, doc: string, byDefault = ""): KeyRow => ({ configKey, format: "text", default: byDefault, doc });

/** Every key, under an alias without dots: convict cannot hold storage.oci.repository beside storage.oci.repository.insecure. */
export const keys: Readonly<Record<string, KeyRow>> = {
  taskRunFormat: {
    configKey: "artifacts.taskrun.format",
    format: "choice",
    allowed: runFormats,
    default: "in-toto",
    doc: `Predicate of a TaskRun's provenance. ${runFormatDoc}`,
  },
  taskRunStorage: {
    configKey: "artifacts.taskrun.storage",
    format: "go-set",
    allowed: storages,
    notYet: storagesNotYet,
    default: "tekton",
    doc: "Where TaskRun attestations go: a comma list. The empty text turns TaskRuns off.",
  },
  taskRunSigner: {
    configKey: "artifacts.taskrun.signer",
    format: "choice",
    ...signers,
    default: "x509",
    doc: "`none` turns TaskRuns off.",
  },
  pipelineRunFormat: {
    configKey: "artifacts.pipelinerun.format",
    format: "choice",
    allowed: runFormats,
    default: "in-toto",
    doc: `Predicate of a PipelineRun's provenance. ${runFormatDoc}`,
  },
  pipelineRunStorage: {
    configKey: "artifacts.pipelinerun.storage",
    format: "go-set",
    allowed: storages.filter((name) => name !== "kafka"),
    notYet: storagesNotYet.filter((name) => name !== "kafka"),
    default: "tekton",
    doc: "Where PipelineRun attestations go: a comma list. The empty text turns PipelineRuns off.",
  },
  pipelineRunSigner: {
    configKey: "artifacts.pipelinerun.signer",
    format: "choice",
    ...signers,
    default: "x509",
    doc: "`none` turns PipelineRuns off.",
  },
  deepInspection: {
    configKey: "artifacts.pipelinerun.enable-deep-inspection",
    format: "go-bool",
    default: "false",
    doc: "Whether a PipelineRun's provenance takes subjects and materials from its TaskRuns too.",
  },
  imageFormat: {
    configKey: "artifacts.oci.format",
    format: "choice",
    allowed: ["simplesigning"],
    default: "simplesigning",
    doc: "Payload of an image signature.",
  },
  imageStorage: {
    configKey: "artifacts.oci.storage",
    format: "go-set",
    allowed: storages,
    notYet: storagesNotYet,
    default: "oci",
    doc: "Where image signatures go: a comma list. The empty text turns image signatures off.",
  },
  imageSigner: {
    configKey: "artifacts.oci.signer",
    format: "choice",
    ...signers,
    default: "x509",
    doc: "`none` turns image signatures off.",
  },
  gcsBucket: text("storage.gcs.bucket", "Bucket of the `gcs` storage."),
  ociRepository: text(
    "storage.oci.repository",
    "One repository for all signatures and attestations; without it they live beside each image. Verifiers set `COSIGN_REPOSITORY` to the same value.",
  ),
  ociInsecure: {
    configKey: "storage.oci.repository.insecure",
    format: "go-bool",
    default: "false",
    doc: "Accept registries without TLS or with a certificate that nobody vouches for.",
  },
  ociEncodingFormat: {
    configKey: "storage.oci.encoding-format",
    format: "choice",
    allowed: ["dsse", "sigstore-bundle", "both"],
    default: "dsse",
    doc: "`dsse` writes cosign's `.sig` and `.att` tags, `sigstore-bundle` writes OCI referrers, `both` (which Tekton Chains does not know) writes the two of them. Where an image has a bundle, cosign 3 looks at no tag of it.",
  },
  ociCredentialSources: {
    configKey: "storage.oci.credential-sources",
    format: "go-set",
    keepsOrder: true,
    allowed: ["serviceaccount-secrets", "image-pull-secrets", "pod", "ecr", "gar", "acr"],
    default: "serviceaccount-secrets,pod",
    own: true,
    doc: "Where credentials for registries come from, tried in this order: the `secrets` or the `imagePullSecrets` of the run's ServiceAccount, the docker configuration of the controller, the identity of the pod at Amazon, Google or Azure.",
  },
  ociAllowedHosts: {
    configKey: "storage.oci.allowed-hosts",
    format: "go-set",
    default: "",
    own: true,
    doc: "Registries that may be talked to: a comma list of hosts, `*.suffixes` and address ranges. Once it is set, private and loopback addresses are refused unless they are listed. Link-local addresses and metadata services always are.",
  },
  ociInsecureHosts: {
    configKey: "storage.oci.insecure-hosts",
    format: "go-set",
    default: "",
    own: true,
    doc: "Registries that may be spoken to without TLS, or with a certificate that nobody vouches for: a comma list of hosts with their ports. Narrower than `storage.oci.repository.insecure`.",
  },
  docdbUrl: text("storage.docdb.url", "Collection of the `docdb` storage, a Go CDK docstore URL."),
  mongoServerUrl: text("storage.docdb.mongo-server-url", "MongoDB server of the `docdb` storage."),
  mongoServerUrlDir: text("storage.docdb.mongo-server-url-dir", "Directory with a file MONGO_SERVER_URL; wins over `mongo-server-url`."),
  mongoServerUrlPath: text("storage.docdb.mongo-server-url-path", "File with the server's URL; wins over the other two."),
  archivistaUrl: text("storage.archivista.url", "Server of the `archivista` storage."),
  grafeasProjectId: text("storage.grafeas.projectid", "Project of the `grafeas` storage."),
  grafeasNoteId: text("storage.grafeas.noteid", "Prefix of its notes; `tekton-<namespace>` without it."),
  grafeasNoteHint: text("storage.grafeas.notehint", "Text of its notes.", "This attestation note was generated by Tekton Chains"),
  pubsubProvider: {
    configKey: "storage.pubsub.provider",
    format: "choice",
    allowed: ["inmemory", "kafka"],
    default: null,
    doc: "Message bus of the `kafka` storage.",
  },
  pubsubTopic: text("storage.pubsub.topic", "Topic of the message bus."),
  kafkaBootstrapServers: text("storage.pubsub.kafka.bootstrap.servers", "Kafka's bootstrap servers."),
  transparencyEnabled: {
    configKey: "transparency.enabled",
    format: "transparency",
    allowed: ["true", "manual"],
    default: "",
    doc: 'Upload to a transparency log: `true` for all, `manual` for runs that carry `chains.tekton.dev/transparency-upload: "true"`. Anything else means no.',
  },
  transparencyUrl: text("transparency.url", "The log, a Rekor server.", "https://rekor.sigstore.dev"),
  transparencyVersion: {
    configKey: "transparency.version",
    format: "choice",
    allowed: ["v1", "v2"],
    default: "v1",
    own: true,
    doc: "Which Rekor the log is. A `v2` log vouches for no time, so keyless signatures need `transparency.tsa.url` too.",
  },
  transparencyEntryKind: {
    configKey: "transparency.entry-kind",
    format: "choice",
    allowed: ["dsse", "intoto"],
    default: "dsse",
    own: true,
    doc: "How a statement is entered in a Rekor v1: `dsse` keeps its hashes, `intoto` its attestation too.",
  },
  timestampUrl: {
    ...text(
      "transparency.tsa.url",
      "A timestamp authority (RFC 3161) that vouches for the time of each signature, such as `https://timestamp.sigstore.dev/api/v1/timestamp`.",
    ),
    own: true,
  },
  kmsref: text("signers.kms.kmsref", "Key of the `kms` signer, such as `gcpkms://…`, `awskms://…`, `azurekms://…` or `hashivault://…`."),
  kmsAddress: text("signers.kms.auth.address", "Address of the Vault or OpenBao server."),
  kmsToken: { ...text("signers.kms.auth.token", "Its token. Prefer `token-path`: a ConfigMap is no secret."), sensitive: true },
  kmsTokenPath: text("signers.kms.auth.token-path", "File with its token; wins over `token`."),
  kmsOidcPath: text("signers.kms.auth.oidc.path", "Vault's mount path of the JWT login."),
  kmsOidcRole: text("signers.kms.auth.oidc.role", "Role of the JWT login."),
  kmsOidcTokenPath: text("signers.kms.auth.oidc.token-path", "File with the JWT; without it the ServiceAccount's own token."),
  kmsSpireSock: text("signers.kms.auth.spire.sock", "SPIRE agent's socket."),
  kmsSpireAudience: text("signers.kms.auth.spire.audience", "Audience asked for at the SPIRE agent."),
  fulcioEnabled: {
    configKey: "signers.x509.fulcio.enabled",
    format: "go-bool",
    default: "false",
    doc: "Keyless signing: a short-lived certificate from Fulcio instead of the key in the Secret.",
  },
  fulcioAddress: text("signers.x509.fulcio.address", "The Fulcio server.", "https://fulcio.sigstore.dev"),
  fulcioIssuer: text("signers.x509.fulcio.issuer", "Kept for compatibility; it has no effect.", "https://oauth2.sigstore.dev/auth"),
  fulcioProvider: text(
    "signers.x509.fulcio.provider",
    "Where the identity token comes from: `filesystem`, `envvar`, `github-actions` (or `github`), `buildkite-agent`, `spiffe`, `google-workload-identity` (or `google`), `google-impersonate`. Without it each of them is asked in turn.",
  ),
  identityTokenFile: text("signers.x509.identity.token.file", "File with the identity token; wins over the provider."),
  tufMirrorUrl: text(
    "signers.x509.tuf.mirror.url",
    "TUF repository with the trust root. It is asked when it is another one than the default, or when `trust.tuf` says so.",
    "https://tuf-repo-cdn.sigstore.dev",
  ),
  builderId: text("builder.id", "`builder.id` of every provenance.", "https://tekton.dev/chains/v2"),
  buildType: {
    configKey: "builddefinition.buildtype",
    format: "choice",
    allowed: ["https://tekton.dev/chains/v2/slsa", "https://tekton.dev/chains/v2/slsa-tekton"],
    default: "https://tekton.dev/chains/v2/slsa",
    doc: "`buildType` of SLSA v1.0 provenance; `slsa-tekton` also keeps labels, annotations and feature flags of the run.",
  },
  managedBy: {
    configKey: "filter.managed-by",
    format: "go-set",
    default: "",
    doc: "Values of `spec.managedBy` whose runs are attested besides Tekton's own: a comma list.",
  },
  trustRoot: {
    ...text("trust.root", "A `trusted_root.json` as text: the CAs, logs and timestamp authorities whose answers are believed."),
    own: true,
  },
  trustRootFile: { ...text("trust.root.file", "The same in a file of the pod, read again when it changes."), own: true },
  trustTuf: {
    configKey: "trust.tuf",
    format: "go-bool",
    default: "false",
    own: true,
    doc: "Take the trust root from the TUF repository at `signers.x509.tuf.mirror.url`.",
  },
  transientDeadline: {
    configKey: "retries.transient-deadline",
    format: "go-duration",
    default: "never",
    own: true,
    doc: "How long an outage of a registry or log may last before its failures count as tries. `never`: they never do.",
  },
  imagesPerRun: {
    configKey: "limits.images-per-run",
    format: "count",
    default: "500",
    own: true,
    doc: "How many images one run may have signed, and at how many its provenance is stored. A run that names more is marked failed, with the reason.",
  },
  finalizerDeadline: {
    configKey: "finalizer.deadline",
    format: "go-duration",
    default: "5m",
    own: true,
    doc: "How long the deletion of a run waits for its attestation. `never`: until it is done.",
  },
};

/** By the name that stands in the ConfigMap. */
export const rowOf: ReadonlyMap<string, KeyRow & { readonly alias: string }> = new Map(
  Object.entries(keys).map(([alias, row]) => [row.configKey, { ...row, alias }]),
);
