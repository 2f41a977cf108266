import { type Command, Option } from "commander";

/** Whom to believe, as the command line says it; the names are cosign's where cosign has one. */
export interface TrustOptions {
  readonly key?: string;
  readonly certificateIdentity?: string;
  readonly certificateIdentityRegexp?: string;
  readonly certificateOidcIssuer?: string;
  readonly certificateOidcIssuerRegexp?: string;
  readonly trustedRoot?: string;
  readonly tufMirror?: string;
  readonly tufRoot?: string;
  readonly rekorUrl?: string;
  readonly offline?: boolean;
  readonly insecureIgnoreTlog?: boolean;
  readonly insecureIgnoreSct?: boolean;
}

export const trustOptions = (): readonly Option[] => [
  new Option("--key <file>", "the public key, such as cosign.pub, or k8s://NAMESPACE/NAME of the Secret with it"),
  new Option("--certificate-identity <name>", "of a keyless signature: whom the certificate must name"),
  new Option("--certificate-identity-regexp <pattern>", "the same as a pattern, found anywhere in the name"),
  new Option("--certificate-oidc-issuer <url>", "of a keyless signature: who must have vouched for the name"),
  new Option("--certificate-oidc-issuer-regexp <pattern>", "the same as a pattern"),
  new Option("--trusted-root <file>", "a trusted_root.json with the certificate authorities and logs to believe"),
  new Option("--tuf-mirror <url>", "the TUF repository that holds it; default: sigstore's public one, for keyless signatures only"),
  new Option("--tuf-root <file>", "the root.json with which trust in that repository begins"),
  new Option("--rekor-url <url>", "the log to ask where a signature brings no entry along; default: the trusted ones"),
  new Option("--offline", "ask neither log nor TUF repository"),
  new Option("--insecure-ignore-tlog", "accept what no transparency log has seen"),
  new Option("--insecure-ignore-sct", "accept certificates that no certificate-transparency log has seen"),
];

/** Ends with a usage error where the options do not say whom to believe. */
export function checkTrustOptions(options: TrustOptions, command: Command): void {
  const fault = faultIn(options);
  if (fault !== undefined) command.error(`error: ${fault}`);
}

function faultIn(options: TrustOptions): string | undefined {
  const { key, certificateIdentity, certificateIdentityRegexp, certificateOidcIssuer, certificateOidcIssuerRegexp } = options;
  const names = [certificateIdentity, certificateIdentityRegexp].some(Boolean);
  const issuers = [certificateOidcIssuer, certificateOidcIssuerRegexp].some(Boolean);
  if (!key && !names && !issuers) return "say whom to believe: --key, or --certificate-identity with --certificate-oidc-issuer";
  if (names && !issuers) return "--certificate-oidc-issuer is missing: without it, anybody's token with this name would do";
  if (issuers && !names) return "--certificate-identity is missing: without it, everybody whom this issuer knows would do";
  for (const pattern of [certificateIdentityRegexp, certificateOidcIssuerRegexp])
    if (pattern !== undefined && !isPattern(pattern)) return `${JSON.stringify(pattern)} is no regular expression`;
  if (options.offline && options.rekorUrl) return "--offline and --rekor-url exclude each other";
  if (options.offline && options.tufMirror) return "--offline and --tuf-mirror exclude each other: give --trusted-root";
  if (options.trustedRoot && options.tufMirror) return "--trusted-root and --tuf-mirror exclude each other";
  return undefined;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
