/** @see https://slsa.dev/provenance/v0.2 */
export const slsaV02PredicateType = "https://slsa.dev/provenance/v0.2";

/** How something was made, in the words of SLSA provenance v0.2 (schema: https://slsa.dev/spec/v0.2/provenance). */
export interface SlsaProvenanceV02 {
  readonly builder: { readonly id: string };
  /** A URI; it says how to read invocation and buildConfig. */
  readonly buildType: string;
  readonly invocation?: {
    readonly configSource?: { readonly uri?: string; readonly digest?: Readonly<Record<string, string>>; readonly entryPoint?: string };
    readonly parameters?: unknown;
    readonly environment?: unknown;
  };
  readonly buildConfig?: unknown;
  readonly metadata?: {
    readonly buildInvocationId?: string;
    /** RFC 3339 */
    readonly buildStartedOn?: string;
    /** RFC 3339 */
    readonly buildFinishedOn?: string;
    readonly completeness?: { readonly parameters?: boolean; readonly environment?: boolean; readonly materials?: boolean };
    readonly reproducible?: boolean;
  };
  readonly materials?: readonly { readonly uri?: string; readonly digest?: Readonly<Record<string, string>> }[];
}
