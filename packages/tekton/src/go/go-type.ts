import table from "./struct-table.json" with { type: "json" };

/** How Go's JSON packages read and write a value. */
export type GoType =
  | { readonly kind: "string" | "bool" | "time" | "duration" | "quantity" | "raw" | "intOrString" | "paramValue" }
  | { readonly kind: "integer"; readonly bits: 32 | 64 }
  | { readonly kind: "list" | "map" | "pointer"; readonly of: GoType }
  | GoStruct;

export interface GoStruct {
  readonly kind: "struct";
  readonly name: string;
  /** In declaration order. */
  readonly fields: readonly GoField[];
  readonly byName: ReadonlyMap<string, GoField>;
}

export interface GoField {
  readonly name: string;
  readonly type: GoType;
  /** omitempty: absent when false, 0, "", [], {} or a missing pointer. A struct is never empty in this sense. */
  readonly omitEmpty: boolean;
  /** omitzero: absent when it is the zero time. */
  readonly omitZero: boolean;
}

const scalars: Readonly<Record<string, GoType>> = {
  string: { kind: "string" },
  bool: { kind: "bool" },
  int: { kind: "integer", bits: 64 },
  int32: { kind: "integer", bits: 32 },
  int64: { kind: "integer", bits: 64 },
  "meta.Time": { kind: "time" },
  "knative.VolatileTime": { kind: "time" },
  "meta.Duration": { kind: "duration" },
  "meta.FieldsV1": { kind: "raw" },
  RawExtension: { kind: "raw" },
  Quantity: { kind: "quantity" },
  IntOrString: { kind: "intOrString" },
  ParamValue: { kind: "paramValue" },
};

const structs: Readonly<Record<string, readonly (readonly string[])[]>> = table;
const known = new Map<string, GoType>();

/** The type that struct-table.json calls by this name, put together at first use. */
export function goType(name: string): GoType {
  const found = known.get(name);
  if (found) return found;
  if (!Object.hasOwn(scalars, name) && !composite.test(name)) return struct(name);
  const type = scalars[name] ?? compositeType(name);
  known.set(name, type);
  return type;
}

export const goStruct = (name: string): GoStruct => goType(name) as GoStruct;

const composite = /^(\*|\[\]|map\[string\])/;

function compositeType(name: string): GoType {
  if (name.startsWith("*")) return { kind: "pointer", of: goType(name.slice(1)) };
  if (name.startsWith("[]")) return { kind: "list", of: goType(name.slice(2)) };
  return { kind: "map", of: goType(name.slice("map[string]".length)) };
}

function struct(name: string): GoStruct {
  const rows = structs[name];
  if (!rows) throw new TypeError(`struct-table.json has no ${name}`);
  const fields: GoField[] = [];
  const byName = new Map<string, GoField>();
  const type: GoStruct = { kind: "struct", name, fields, byName };
  // known before its fields are: structs refer to each other in circles
  known.set(name, type);
  for (const [field = "", fieldType = "", flags = ""] of rows) {
    fields.push({ name: field, type: goType(fieldType), omitEmpty: flags.includes("omitempty"), omitZero: flags.includes("omitzero") });
  }
  for (const field of fields) byName.set(field.name, field);
  return type;
}
