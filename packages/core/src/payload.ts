/** A thing a statement speaks about, by name and digest (in-toto ResourceDescriptor, the two fields that every statement has). */
export interface Subject {
  readonly name: string;
  /** Algorithm to lower-case hex, as the run wrote it. */
  readonly digest: Readonly<Record<string, string>>;
}

/** The exact bytes to be signed, and how. */
export interface Payload {
  /** The config word that chose it: "slsa/v1", "slsa/v2alpha4", "simplesigning". */
  readonly format: string;
  /** dsse: the pre-authentication encoding is signed. none: the bytes are signed as they are. */
  readonly envelope: "dsse" | "none";
  /** The DSSE payloadType, or the media type of the bytes. */
  readonly mediaType: string;
  readonly predicateType?: string;
  readonly body: Uint8Array;
  readonly subjects: readonly Subject[];
}
