/** Import this in a test file: the servers' last words follow each failure. */
import { afterEach } from "vitest";
import { lastWords } from "./child.ts";

afterEach(({ task }) => {
  if (task.result?.state === "fail") console.error(`${task.name} failed; the servers say:\n${lastWords()}`);
});
