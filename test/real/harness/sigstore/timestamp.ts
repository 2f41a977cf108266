import { writeFileSync } from "node:fs";
import { freePort } from "@countersign/testing";
import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { request } from "../request.ts";
import { tempFolder } from "../temp-folder.ts";

export interface TimestampServer extends Server {
  /** Where the queries go: ".../api/v1/timestamp". */
  readonly url: string;
  /** PEM, the signing certificate first. */
  readonly chain: string;
  readonly chainFile: string;
}

/** RFC 3161 over HTTP, with a chain made at the start. */
export async function startTimestampServer(): Promise<TimestampServer> {
  const folder = tempFolder("timestamp-server");
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const args = [`-port=${port}`];
  const ready = async (): Promise<true | undefined> => (await request(`${base}/ping`)).status === 200 || undefined;
  const server = await startServer("timestamp-server", part("timestamp-server"), args, { ready });
  const chain = (await request(`${base}/api/v1/timestamp/certchain`)).text;
  writeFileSync(`${folder}/chain.pem`, chain);
  return { url: `${base}/api/v1/timestamp`, chain, chainFile: `${folder}/chain.pem`, logs: server.logs, stop: server.stop };
}
