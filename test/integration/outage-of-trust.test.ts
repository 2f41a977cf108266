import { describe, test } from "vitest";
import { type LogTrouble, logOutage } from "./harness/log-outage.ts";
import { sizes } from "./harness/town.ts";

/** Some twenty seconds each on a machine with nothing else to do: such a log is never given a rest. */
const patient = { timeout: 480_000 };

describe.each(sizes)("a log that cannot be believed for an hour, with $runs runs", patient, (size) => {
  test.each<[string, LogTrouble]>([
    ["answers garbage", { fault: { kind: "garbage" } }],
    ["gives entries without proof", { mood: "no-proof" }],
    ["gives wrong proofs", { mood: "wrong-proof" }],
    ["signs with a key that nobody knows", { mood: "other-log" }],
    ["knows of a conflict and not of the entry", { mood: "lost" }],
  ])("%s: all are logged and stored within five minutes after it, once, and none was marked before", (_, trouble) =>
    logOutage(size, trouble),
  );
});
