import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface SearchIndex {
  readonly port: number;
  stop(): Promise<void>;
}

/** As much of Redis as Rekor asks for its search index: lists that grow at the head (LPUSH) and are read whole (LRANGE). */
export async function startSearchIndex(): Promise<SearchIndex> {
  const lists = new Map<string, string[]>();
  const open = new Set<Socket>();
  const answers: Readonly<Record<string, (key: string, value: string) => string>> = {
    lpush(key, value) {
      const list = [value, ...(lists.get(key) ?? [])];
      lists.set(key, list);
      return `:${list.length}\r\n`;
    },
    lrange: (key) => arrayOf(lists.get(key) ?? []),
    ping: () => "+PONG\r\n",
  };
  const server = createServer((socket) => {
    open.add(socket);
    let pending = "";
    // Keys and values are hashes and names, so bytes are characters.
    socket.setEncoding("latin1");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
    socket.on("data", (chunk) => {
      pending += chunk;
      for (let command = firstOf(pending); command; command = firstOf(pending)) {
        pending = pending.slice(command.length);
        const [name = "", key = "", value = ""] = command.words;
        // Whatever else a client begins with, it can do without.
        socket.write(answers[name.toLowerCase()]?.(key, value) ?? "-ERR unknown command\r\n");
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

const arrayOf = (values: readonly string[]): string =>
  `*${values.length}\r\n${values.map((one) => `$${one.length}\r\n${one}\r\n`).join("")}`;

/** The first whole command, "*2\r\n$4\r\nPING\r\n…", and how long it is. */
function firstOf(text: string): { readonly words: readonly string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (!head) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let n = 0; n < Number(head[1]); n++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (!size) return undefined;
    const start = at + size[0].length;
    at = start + Number(size[1]) + 2;
    if (text.length < at) return undefined;
    words.push(text.slice(start, at - 2));
  }
  return { words, length: at };
}
