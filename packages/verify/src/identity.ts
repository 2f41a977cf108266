import { certificateHolder } from "./certificate-holder.ts";
import type { IdentityPolicy } from "./policy.ts";
import { because, type Reason } from "./verdict.ts";

/** Why the certificate's holder is not the wanted one. */
export function identityFaults(certificate: string, wanted: IdentityPolicy): readonly Reason[] {
  const { certificateIdentity, certificateIdentityRegexp, oidcIssuer, oidcIssuerRegexp } = wanted;
  const identity = { exact: certificateIdentity, pattern: certificateIdentityRegexp };
  const issuer = { exact: oidcIssuer, pattern: oidcIssuerRegexp };
  if ([identity, issuer].some(asksNothing))
    return [because("identity", "a certificate's identity and its issuer must both be asked for, or any holder would do")];
  const holder = certificateHolder(certificate);
  if (!holder) return [because("identity", "the certificate names nobody: it cannot be read")];
  const faults = [
    fault("identity", holder.identities, identity),
    fault("issuer", holder.issuer === undefined ? [] : [holder.issuer], issuer),
  ];
  return faults.flatMap((sentence) => (sentence === undefined ? [] : [because("identity", sentence)]));
}

interface Wanted {
  readonly exact: string | undefined;
  readonly pattern: string | undefined;
}

const asksNothing = ({ exact, pattern }: Wanted): boolean => !exact && !pattern;

function fault(what: string, found: readonly string[], { exact, pattern }: Wanted): string | undefined {
  const names = found.length > 0 ? found.join(", ") : "not named";
  if (exact && !found.includes(exact)) return `the certificate's ${what} is ${names}, and ${exact} is wanted`;
  const expression = pattern ? expressionFrom(pattern) : undefined;
  if (expression === "none") return `the pattern for the certificate's ${what} is no regular expression`;
  if (expression && !found.some((name) => expression.test(name)))
    return `the certificate's ${what} is ${names}, which ${pattern} does not match`;
  return undefined;
}

function expressionFrom(pattern: string): RegExp | "none" {
  try {
    return new RegExp(pattern);
  } catch {
    return "none";
  }
}
