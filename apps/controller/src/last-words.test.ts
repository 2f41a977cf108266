import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { endOnBug, stopOnSignal } from "./last-words.ts";
import { watcherLog } from "./log.ts";

function host() {
  const lines: string[] = [];
  const exits: unknown[] = [];
  const emitter = Object.assign(new EventEmitter(), { exit: (code: unknown) => exits.push(code) });
  return { log: watcherLog("info", {}, { write: (line) => lines.push(line) }), process: emitter as never, emitter, lines, exits };
}

test.each(["SIGTERM", "SIGINT"])("the first %s stops, the second ends", (name) => {
  const { log, process, emitter, lines, exits } = host();
  const signal = stopOnSignal(log, process);
  expect(signal.aborted).toBe(false);
  emitter.emit(name);
  expect([signal.aborted, exits, lines.length]).toEqual([true, [], 1]);
  emitter.emit("SIGTERM");
  expect(exits).toEqual([1]);
});

test.each(["uncaughtException", "unhandledRejection"])("%s is logged by name, and the process ends with 1", (name) => {
  const { log, process, emitter, lines, exits } = host();
  endOnBug(log, process);
  emitter.emit(name, new RangeError("canary"));
  expect(exits).toEqual([1]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "fatal", reason: expect.stringMatching(/unexpected RangeError/) });
  expect(lines[0]).not.toContain("canary");
});
