/** The Signer of @sigstore/sign, written down here so that this package needs nothing of it at run time. */
export interface SigstoreSigner {
  sign(data: Buffer): Promise<SigstoreSignature>;
}

export interface SigstoreSignature {
  readonly signature: Buffer;
  readonly key:
    | { readonly $case: "x509Certificate"; readonly certificate: string }
    | { readonly $case: "publicKey"; readonly publicKey: string; readonly hint?: string };
}
