export type JsonMap = Readonly<Record<string, unknown>>;

/** Never changed in place: each write makes a new one, so lists and watchers may keep what they hold. */
export type KubeObject = JsonMap & { readonly apiVersion: string; readonly kind: string; readonly metadata: Metadata };
export type ManagedFields = JsonMap & { readonly manager: string; readonly fieldsV1: JsonMap };

export interface Metadata extends JsonMap {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFields[];
}

/** What of metadata the server alone decides, besides versions and owners. */
export const fixed: string[] = ["uid", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];

export const isMap = (value: unknown): value is JsonMap => typeof value === "object" && value !== null && !Array.isArray(value);
export const only = (map: JsonMap | undefined, ...keys: string[]): JsonMap =>
  Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => keys.includes(key)));
export const without = <T extends JsonMap>(map: T, ...keys: string[]): T =>
  Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key))) as T;
