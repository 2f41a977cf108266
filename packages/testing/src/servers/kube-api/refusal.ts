import type { Resource } from "./resources.ts";

/** A request answered with a Kubernetes Status instead of an object. */
export class Refusal extends Error {
  readonly code: number;
  readonly status: object;

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message);
    this.code = code;
    this.status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, ...(details && { details }), code };
  }
}

export const badRequest = (why: string): Refusal => new Refusal(400, "BadRequest", why);
export const expired = (why: string): Refusal => new Refusal(410, "Expired", why);
export const notFound = (of: Resource, name: string): Refusal => about(404, "NotFound", of, name, "there is no such object");
export const alreadyExists = (of: Resource, name: string): Refusal => about(409, "AlreadyExists", of, name, "it already exists");
export const conflict = (of: Resource, name: string, why: string): Refusal => about(409, "Conflict", of, name, why);
export const invalid = (of: Resource, name: string, field: string, why: string): Refusal =>
  about(422, "Invalid", of, name, `${field}: ${why}`, [{ reason: "FieldValueInvalid", message: why, field }]);

function about(code: number, reason: string, { plural, group }: Resource, name: string, why: string, causes?: object[]): Refusal {
  const details = { kind: plural, ...(group && { group }), ...(name && { name }), ...(causes && { causes }) };
  return new Refusal(code, reason, `${group ? `${plural}.${group}` : plural} "${name}": ${why}`, details);
}
