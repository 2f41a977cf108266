import type { ReadStream } from "node:tty";

/** Reads one line without an echo. Ctrl-C and Ctrl-D give up. */
export function askSecret(
  question: string,
  input: Pick<ReadStream, "setRawMode" | "on" | "off" | "resume" | "pause">,
  output: { write(text: string): unknown },
  signal: AbortSignal,
): Promise<string> {
  output.write(question);
  input.setRawMode(true);
  input.resume();
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (): void => {
      input.off("data", onData);
      signal.removeEventListener("abort", onAbort);
      input.setRawMode(false);
      input.pause();
      output.write("\n");
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason);
    };
    const onData = (chunk: Buffer): void => {
      for (const key of chunk.toString("utf8")) {
        if (key === "\r" || key === "\n") {
          end();
          resolve(typed);
          return;
        }
        if (key === "\u0003" || key === "\u0004") {
          end();
          reject(new DOMException("interrupted", "AbortError"));
          return;
        }
        typed = key === "\u007f" || key === "\b" ? [...typed].slice(0, -1).join("") : typed + key;
      }
    };
    signal.addEventListener("abort", onAbort, { once: true });
    input.on("data", onData);
  });
}
