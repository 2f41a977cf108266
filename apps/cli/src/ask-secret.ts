import type { ReadStream } from "node:tty";

type Keyboard = Pick<ReadStream, "setRawMode" | "on" | "off" | "resume" | "pause" | "unshift">;

/** Reads one line without an echo. Ctrl-C, Ctrl-D and a closed terminal give up. */
export function askSecret(
  question: string,
  keyboard: Keyboard,
  screen: { write(text: string): unknown },
  signal: AbortSignal,
): Promise<string> {
  keyboard.setRawMode(true); // before the question: whoever answers at once is not to see it
  screen.write(question);
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (): void => {
      keyboard.off("data", onData);
      keyboard.off("end", giveUp);
      signal.removeEventListener("abort", giveUp);
      keyboard.setRawMode(false);
      keyboard.pause();
      screen.write("\n");
    };
    const giveUp = (): void => {
      end();
      reject(signal.aborted ? signal.reason : new DOMException("interrupted", "AbortError"));
    };
    const onData = (chunk: Buffer): void => {
      const text = typed + chunk.toString("utf8");
      const line = /[\r\n\u0003\u0004]/.exec(text);
      if (!line) {
        typed = text;
        return;
      }
      if (line[0] === "\u0003" || line[0] === "\u0004") {
        giveUp();
        return;
      }
      end();
      // Both lines may come at once, pasted or from a script: the rest answers the next question.
      const rest = text.slice(line.index).replace(/^\r?\n|^\r/, "");
      if (rest) keyboard.unshift(Buffer.from(rest));
      resolve(edited(text.slice(0, line.index)));
    };
    signal.addEventListener("abort", giveUp, { once: true });
    keyboard.on("data", onData);
    keyboard.on("end", giveUp);
    keyboard.resume();
  });
}

/** Backspace takes the character before it away. */
function edited(typed: string): string {
  const kept: string[] = [];
  for (const key of typed) {
    if (key === "\u007f" || key === "\b") kept.pop();
    else kept.push(key);
  }
  return kept.join("");
}
