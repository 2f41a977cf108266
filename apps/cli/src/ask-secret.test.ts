import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { askSecret } from "./ask-secret.ts";

/** A keyboard and a screen. */
function desk() {
  const keyboard = Object.assign(new EventEmitter(), {
    raw: false,
    setRawMode(on: boolean) {
      keyboard.raw = on;
      return keyboard as never;
    },
    resume: () => keyboard as never,
    pause: () => keyboard as never,
    left: "",
    unshift(rest: Buffer) {
      keyboard.left = rest.toString();
    },
  });
  let shown = "";
  const echoed = (): string => (keyboard.raw ? "" : "(with an echo)");
  const screen = {
    write: (text: string) => {
      shown += text + echoed();
    },
  };
  return { keyboard, screen, type: (text: string) => keyboard.emit("data", Buffer.from(text)), shown: () => shown };
}
const patient = new AbortController().signal;

test("what is typed is answered and never shown", async () => {
  const { keyboard, screen, type, shown } = desk();
  const answer = askSecret("Password: ", keyboard as never, screen, patient);
  expect(keyboard.raw).toBe(true);
  type("s€cx");
  type("\u007fret\r");
  expect(await answer).toBe("s€cret");
  expect(shown()).toBe("Password: \n(with an echo)");
  expect(keyboard.raw).toBe(false);
  expect(keyboard.listenerCount("data")).toBe(0);
});

test.each(["\u0003", "\u0004"])("%j gives up, and gives the keyboard back", async (key) => {
  const { keyboard, screen, type } = desk();
  const answer = askSecret("?", keyboard as never, screen, patient);
  type(`half${key}`);
  await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  expect(keyboard.raw).toBe(false);
});

test("so does an interrupt from elsewhere", async () => {
  const { keyboard, screen } = desk();
  const stop = new AbortController();
  const answer = askSecret("?", keyboard as never, screen, stop.signal);
  stop.abort(new Error("stop"));
  await expect(answer).rejects.toThrow("stop");
  expect(keyboard.raw).toBe(false);
});

test.each(["one\rtwo\r", "one\r\ntwo\r"])("of two lines at once, %j, the second answers the next question", async (pasted) => {
  const { keyboard, screen, type } = desk();
  const answer = askSecret("?", keyboard as never, screen, patient);
  type(pasted);
  expect([await answer, keyboard.left]).toEqual(["one", "two\r"]);
});

test("a terminal that is closed gives up", async () => {
  const { keyboard, screen } = desk();
  const answer = askSecret("?", keyboard as never, screen, patient);
  keyboard.emit("end");
  await expect(answer).rejects.toMatchObject({ name: "AbortError" });
});
