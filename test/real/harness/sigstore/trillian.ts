import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { tool } from "../tool.ts";

export interface Trillian extends Server {
  /** "127.0.0.1:8090", gRPC. */
  readonly address: string;
  readonly port: string;
  /** A new, empty tree. */
  tree(): Promise<string>;
}

/** In memory; the same leaf twice is a conflict, as with the stores on disk. */
export async function startTrillian(): Promise<Trillian> {
  const ready = (logs: string): string | undefined => /^(127\.0\.0\.1:\d+)$/m.exec(logs)?.[1];
  const server = await startServer("trillian", part("trillian"), [], { ready });
  const address = server.answer;
  const tree = async (): Promise<string> => (await tool("createtree", [`--admin_server=${address}`])).stdout.trim();
  return { address, port: address.split(":")[1] ?? "", tree, logs: server.logs, stop: server.stop };
}
