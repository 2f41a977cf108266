import { CountersignError } from "@countersign/core";
import { HttpError } from "@countersign/http";
import { expect, test } from "vitest";
import { CredentialsError } from "./credentials.ts";
import { clusterFault, isExpired, isNotFound, KubeError, statusOf } from "./kube-error.ts";

const refusal = (code: number, body: unknown = {}) => new KubeError(`the API server answered ${code}`, statusOf(code, body));

test.each([
  [refusal(403), "read.forbidden", undefined],
  [refusal(500), "read.api-refused", undefined],
  [refusal(429, { details: { retryAfterSeconds: 2 } }), "read.api-refused", 2_000],
  [new HttpError("connect", "GET x: connection refused"), "read.api-unreachable", undefined],
  [new CredentialsError("the plug-in failed"), "read.credentials", undefined],
])("the cluster's fault is an outage: %s", (error, code, retryAfterMs) => {
  const fault = clusterFault("read", "TaskRun ci/build could not be read", error);
  expect(fault).toMatchObject({ code, retry: "wait", retryAfterMs, cause: error });
  expect(fault.message).toMatch(/^TaskRun ci\/build could not be read: /);
});

test("what has a verdict keeps it, and a bug stays a bug", () => {
  const gone = new CountersignError("mark.gone", "gone", { retry: "never" });
  expect(clusterFault("mark", "x", gone)).toBe(gone);
  const bug = new TypeError("bug");
  expect(() => clusterFault("mark", "x", bug)).toThrow(bug);
});

test("questions about a refusal", () => {
  expect([isNotFound(refusal(404)), isNotFound(refusal(410)), isNotFound({ code: 404 })]).toEqual([true, false, false]);
  expect([isExpired(refusal(410)), isExpired(refusal(400, { reason: "Expired" })), isExpired(refusal(404))]).toEqual([true, true, false]);
});

test("any body is a Status, as far as it is one", () => {
  const nothing = { code: 500, reason: "", message: "", causes: [] };
  for (const body of [undefined, null, "x", 7, [], { reason: 7, message: {}, details: { causes: "x" } }])
    expect(statusOf(500, body)).toEqual(nothing);
  expect(statusOf(409, { reason: "Conflict", message: "m", details: { causes: [{ reason: "FieldManagerConflict" }, null] } })).toEqual({
    code: 409,
    reason: "Conflict",
    message: "m",
    causes: [{ reason: "FieldManagerConflict" }, {}],
  });
});
