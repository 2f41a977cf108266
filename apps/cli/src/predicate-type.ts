import type { Policy } from "@countersign/verify";

/** cosign's short names for predicate types; anything else is a URI by itself. */
const shortNames: Readonly<Record<string, string>> = {
  slsaprovenance: "https://slsa.dev/provenance/v0.2",
  slsaprovenance02: "https://slsa.dev/provenance/v0.2",
  slsaprovenance1: "https://slsa.dev/provenance/v1",
};

/** What `--type` asks of a payload. */
export function wantedType(type: string | undefined): Pick<Policy, "kind" | "predicateTypes"> {
  if (type === undefined) return {};
  if (type === "signature") return { kind: "image-signature" };
  return { kind: "provenance", predicateTypes: [Object.hasOwn(shortNames, type) ? (shortNames[type] ?? type) : type] };
}
