import { createServer, type IncomingHttpHeaders, request as plain } from "node:http";
import { request as secure } from "node:https";
import type { AddressInfo } from "node:net";

export interface Passage {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface TollgateOptions {
  /** "https://127.0.0.1:6443". */
  readonly target: string;
  readonly ca?: string;
  /** Before the target hears of it; "cut" drops the connection instead. */
  readonly before?: (passage: Passage) => Promise<"pass" | "cut"> | "pass" | "cut";
  /** After the target has done it and before the client hears of it. */
  readonly after?: (passage: Passage, status: number) => Promise<"pass" | "cut"> | "pass" | "cut";
}

export interface Tollgate {
  /** "127.0.0.1:port", plain HTTP. */
  readonly host: string;
  readonly url: string;
  close(): Promise<void>;
}

/** A proxy in front of a real server where a test can stand: it sees each request before the server does it and before the client knows. */
export async function tollgate({ target, ca, before = () => "pass", after = () => "pass" }: TollgateOptions): Promise<Tollgate> {
  const send = target.startsWith("https:") ? secure : plain;
  const server = createServer(async (incoming, outgoing) => {
    const passage = { method: incoming.method ?? "GET", path: incoming.url ?? "/", headers: incoming.headers };
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    if ((await before(passage)) === "cut") return void incoming.socket.destroy();
    const { host: _, "transfer-encoding": __, ...headers } = incoming.headers;
    const body = Buffer.concat(chunks);
    const onward = send(
      target + passage.path,
      {
        method: passage.method,
        headers: { ...headers, host: new URL(target).host, ...(body.length > 0 && { "content-length": body.length }) },
        agent: false,
        ...(ca && { ca }),
      },
      async (answer) => {
        if ((await after(passage, answer.statusCode ?? 0)) === "cut") {
          answer.destroy();
          return void incoming.socket.destroy();
        }
        outgoing.writeHead(answer.statusCode ?? 502, rewritten(answer.headers, target));
        answer.pipe(outgoing);
        answer.on("error", () => outgoing.destroy());
        outgoing.on("close", () => answer.destroy());
      },
    );
    onward.on("error", () => incoming.socket.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** A registry's absolute Location must lead back through the gate. */
  function rewritten(headers: IncomingHttpHeaders, origin: string): IncomingHttpHeaders {
    const { location, ...rest } = headers;
    return location ? { ...rest, location: location.replace(origin, `http://${host}`) } : headers;
  }

  return {
    host,
    url: `http://${host}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
