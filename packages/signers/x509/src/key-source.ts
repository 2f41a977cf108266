/** Where the signer's key files come from, asked before every signature. */
export interface KeySource {
  /** The files as they are now. Another version means other contents: the key is read anew, once. */
  current(): Promise<KeyFiles>;
  /** For the sentences of errors: a directory, a Secret. */
  readonly place?: string;
}

export interface KeyFiles {
  readonly version: string;
  /** x509.pem, or cosign.key with cosign.password; a file that cannot be read is absent. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}
