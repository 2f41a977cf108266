export type RunFormat = "in-toto" | "slsa/v1" | "slsa/v2alpha3" | "slsa/v2alpha4";
export type SignerName = "x509" | "kms" | "none";
export type StorageName = "tekton" | "oci" | "gcs" | "docdb" | "grafeas" | "kafka" | "archivista";
export type EncodingFormat = "dsse" | "sigstore-bundle" | "both";
/** "manual": only runs that carry the annotation chains.tekton.dev/transparency-upload: "true". */
export type Transparency = "true" | "manual" | "off";

/** What happens to one kind of artifact. */
export interface ArtifactConfig<Format extends string = string> {
  readonly format: Format;
  /** Sorted, without doubles; empty when the kind is disabled by an empty value. */
  readonly storage: readonly StorageName[];
  readonly signer: SignerName;
  /** False when the signer is "none" or the storage is the empty text. */
  readonly enabled: boolean;
}

export interface PipelineRunConfig extends ArtifactConfig<RunFormat> {
  /** Whether a PipelineRun's provenance looks into its TaskRuns. */
  readonly deepInspection: boolean;
}

/** The chains-config ConfigMap as one snapshot, deeply frozen. A text that nobody set is "", as in Tekton Chains. */
export interface ChainsConfig {
  readonly artifacts: {
    readonly taskRun: ArtifactConfig<RunFormat>;
    readonly pipelineRun: PipelineRunConfig;
    readonly image: ArtifactConfig<"simplesigning">;
  };
  readonly builder: { readonly id: string };
  readonly buildType: string;
  readonly transparency: {
    readonly enabled: Transparency;
    readonly url: string;
    /** Own keys. */
    readonly version: "v1" | "v2";
    readonly entryKind: "dsse" | "intoto";
    readonly timestampUrl: string;
  };
  /** Own keys. Whose certificates, log entries and timestamps are believed; all empty: nobody's in particular. */
  readonly trust: { readonly root: string; readonly rootFile: string; readonly tuf: boolean };
  readonly storage: {
    readonly oci: {
      readonly repository: string;
      readonly insecure: boolean;
      readonly encodingFormat: EncodingFormat;
      /** Own keys. In the order in which they are tried. */
      readonly credentialSources: readonly string[];
      readonly allowedHosts: readonly string[];
      readonly insecureHosts: readonly string[];
    };
    readonly gcs: { readonly bucket: string };
    readonly docdb: {
      readonly url: string;
      readonly mongoServerUrl: string;
      readonly mongoServerUrlDir: string;
      readonly mongoServerUrlPath: string;
    };
    readonly archivista: { readonly url: string };
    readonly grafeas: { readonly projectId: string; readonly noteId: string; readonly noteHint: string };
    readonly pubsub: { readonly provider: "" | "inmemory" | "kafka"; readonly topic: string; readonly kafkaBootstrapServers: string };
  };
  readonly signers: {
    readonly x509: {
      readonly fulcio: { readonly enabled: boolean; readonly address: string; readonly issuer: string; readonly provider: string };
      readonly identityTokenFile: string;
      readonly tufMirrorUrl: string;
    };
    readonly kms: { readonly kmsref: string; readonly auth: KmsAuth };
  };
  /** managedBy: foreign values of spec.managedBy whose runs are attested too. */
  readonly filter: { readonly managedBy: readonly string[] };
  /** Own key. How long an outage may last before its failures count; undefined: for ever. */
  readonly retries: { readonly transientDeadlineMs: number | undefined };
  /** Own key. More of them are refused. */
  readonly limits: { readonly imagesPerRun: number };
  /** Own key. How long a deletion waits for its attestation. */
  readonly finalizer: { readonly deadlineMs: number };
}

export interface KmsAuth {
  readonly address: string;
  readonly token: string;
  readonly tokenPath: string;
  readonly oidc: { readonly path: string; readonly role: string; readonly tokenPath: string };
  readonly spire: { readonly sock: string; readonly audience: string };
}
