/** A log's word, in the JSON form that every sigstore bundle carries (bytes are base64, int64 are strings). */
export interface LogEntry {
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  /** Seconds since 1970. Absent where the log vouches for no time (Rekor v2): a timestamp does that. */
  readonly integratedTime?: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof?: {
    readonly logIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: string;
}

/**
 * A log's word, whole (SET, inclusion proof, checkpoint), or an RFC 3161 token in base64. A token is over the signature's bytes; over
 * "envelope": over the text of the DSSE envelope, which is what verifiers ask of a layer in cosign's `.att` tag.
 */
export type Evidence =
  | { readonly kind: "log-entry"; readonly entry: LogEntry /** Where people can look at it. */; readonly url?: string }
  | { readonly kind: "timestamp"; readonly token: string; readonly over?: "envelope" };
