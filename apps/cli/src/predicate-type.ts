import { signV1PredicateType } from "@countersign/formatters-cosign";
import type { Claims, Policy } from "@countersign/verify";

/** cosign's short names for predicate types; anything else is a URI by itself. */
const shortNames: Readonly<Record<string, string>> = {
  slsaprovenance: "https://slsa.dev/provenance/v0.2",
  slsaprovenance02: "https://slsa.dev/provenance/v0.2",
  slsaprovenance1: "https://slsa.dev/provenance/v1",
  link: "https://in-toto.io/Link/v1",
  spdx: "https://spdx.dev/Document",
  spdxjson: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
  vuln: "https://cosign.sigstore.dev/attestation/vuln/v1",
  openvex: "https://openvex.dev/ns",
  custom: "https://cosign.sigstore.dev/attestation/v1",
};

/** What `--type` asks of a payload. */
export function wantedType(type: string | undefined): Pick<Policy, "kind" | "predicateTypes"> {
  if (type === undefined) return {};
  if (type === "signature" || type === signV1PredicateType) return { kind: "image-signature" };
  return { kind: "provenance", predicateTypes: [Object.hasOwn(shortNames, type) ? (shortNames[type] ?? type) : type] };
}

/** Whether a payload is of the kind and type that was asked for; what cannot be read is nobody's type and is always looked at. */
export function isAsked(claims: Claims | undefined, { kind, predicateTypes }: ReturnType<typeof wantedType>): boolean {
  if (!claims || kind === undefined) return true;
  if (kind !== claims.kind) return false;
  return claims.kind !== "provenance" || predicateTypes === undefined || predicateTypes.includes(claims.predicateType);
}
