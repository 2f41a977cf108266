import { qualified, type Resource } from "./resources.ts";

/** A request answered with a Kubernetes Status instead of an object. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: object | undefined;

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  get status(): object {
    const { code, reason, message, details } = this;
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, ...(details ? { details } : {}), code };
  }
}

const about = (of: Resource, name: string, more: object = {}): object => ({
  name,
  ...(of.group ? { group: of.group } : {}),
  kind: of.plural,
  ...more,
});

export const notFound = (of: Resource, name: string): Refusal =>
  new Refusal(404, "NotFound", `${qualified(of)} "${name}" not found`, about(of, name));
export const alreadyExists = (of: Resource, name: string): Refusal =>
  new Refusal(409, "AlreadyExists", `${qualified(of)} "${name}" already exists`, about(of, name));
export const conflict = (of: Resource, name: string, why: string): Refusal =>
  new Refusal(409, "Conflict", `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`, about(of, name));
export const badRequest = (why: string): Refusal => new Refusal(400, "BadRequest", why);
export const expired = (why: string): Refusal => new Refusal(410, "Expired", why);

/** A patch, unlike an update, meets this as a rule about a field. */
export const foreignUid = (of: Resource, name: string, uid: unknown): Refusal =>
  invalid(of, name, "metadata.uid", `Invalid value: "${uid}": field is immutable`);

export function invalid(of: Resource, name: string, field: string, why: string): Refusal {
  const kind = of.group ? `${of.kind}.${of.group}` : of.kind;
  const details = { ...about(of, name, { causes: [{ reason: "FieldValueInvalid", message: why, field }] }), kind: of.kind };
  return new Refusal(422, "Invalid", `${kind} "${name}" is invalid: ${field}: ${why}`, details);
}

export function fieldConflict(fields: readonly { manager: string; field: string }[]): Refusal {
  const causes = fields.map(({ manager, field }) => ({ reason: "FieldManagerConflict", message: `conflict with "${manager}"`, field }));
  const plural = fields.length === 1 ? "conflict" : "conflicts";
  const text = causes.map((cause) => `${cause.message}: ${cause.field}`).join("\n");
  return new Refusal(409, "Conflict", `Apply failed with ${fields.length} ${plural}: ${text}`, { causes });
}

export function noFieldManager(): Refusal {
  const why = "Required value: is required for apply patch";
  const details = {
    group: "meta.k8s.io",
    kind: "PatchOptions",
    causes: [{ reason: "FieldValueRequired", message: why, field: "fieldManager" }],
  };
  return new Refusal(422, "Invalid", `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${why}`, details);
}
