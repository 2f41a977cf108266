import { describe, test } from "vitest";
import { logOutage } from "./harness/log-outage.ts";
import { lies, silences } from "./harness/log-troubles.ts";
import { rowsFor, sizes } from "./harness/town.ts";

/** Some thirty seconds each on a machine with nothing else to do: such a log is never given a rest. */
const patient = { timeout: 480_000 };

describe.each(sizes)("a log that cannot be believed for an hour, with $runs runs", patient, (size) => {
  test.each(rowsFor(size, lies, []))(
    "%s: all are logged and stored within five minutes after it, once, and none was marked before",
    (_, trouble) => logOutage(size, trouble),
  );

  test("every trouble a log can have, five minutes each: all are logged and stored within five minutes after it, once", () =>
    logOutage(size, ...[...silences, ...lies].map(([, trouble]) => trouble)));
});
