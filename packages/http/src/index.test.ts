import { expect, test } from "vitest";
import * as door from "./index.ts";

test("what goes through the door", () => {
  expect(Object.keys(door).sort()).toEqual([
    "HttpError",
    "breaker",
    "hostList",
    "hostPolicy",
    "http",
    "isOutage",
    "isUntrusted",
    "pause",
    "placeOf",
    "redact",
    "retryAfterMs",
  ]);
});
