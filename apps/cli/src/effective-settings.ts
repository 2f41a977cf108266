import { keys, type Remark } from "@countersign/config";

/** One key with the value that takes effect. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly from: "file" | "default";
}

/** Every key of chains-config; the value of a sensitive one is not shown. */
export function effectiveSettings(map: Readonly<Record<string, string>>, warnings: readonly Remark[]): readonly Setting[] {
  return Object.values(keys).map(({ configKey: key, default: byDefault, format, sensitive }) => {
    const ignored = format !== "text" && warnings.some((warning) => warning.key === key);
    const set = Object.hasOwn(map, key) && !ignored;
    const value = set ? (map[key] ?? "") : (byDefault ?? "");
    return { key, value: sensitive && value ? "(not shown)" : value, from: set ? "file" : "default" };
  });
}
