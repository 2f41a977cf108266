import type { Resource } from "./resources.ts";

/** A request answered with a Kubernetes Status instead of an object. */
export class Refusal extends Error {
  readonly status: { readonly code: number; readonly [field: string]: unknown };

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message);
    this.status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, ...(details && { details }), code };
  }
}

export const badRequest = (why: string): Refusal => new Refusal(400, "BadRequest", why);
export const notFound = (of: Resource, name: string): Refusal => about(404, "NotFound", of, name, "there is no such object");
export const conflict = (of: Resource, name: string, why: string, reason = "Conflict"): Refusal => about(409, reason, of, name, why);
export const invalid = (of: Resource, name: string, field: string, why: string): Refusal =>
  about(422, "Invalid", of, name, `${field}: ${why}`, [{ reason: "FieldValueInvalid", message: why, field }]);

function about(code: number, reason: string, { plural, group }: Resource, name: string, why: string, causes?: object[]): Refusal {
  const details = { kind: plural, ...(group && { group }), ...(name && { name }), ...(causes && { causes }) };
  return new Refusal(code, reason, `${group ? `${plural}.${group}` : plural} "${name}": ${why}`, details);
}
