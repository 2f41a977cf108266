/** A parameter's or result's value: one of the three shapes that Tekton knows. */
export type ParamValue =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "object"; readonly entries: ReadonlyMap<string, string> };

/** Empty for lists and objects, as the reference reads them where it wants a string. */
export const textOf = (value: ParamValue | undefined): string => (value?.kind === "string" ? value.text : "");

export const entriesOf = (value: ParamValue | undefined): ReadonlyMap<string, string> | undefined =>
  value?.kind === "object" ? value.entries : undefined;
