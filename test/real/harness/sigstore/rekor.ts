import { writeFileSync } from "node:fs";
import { freePort } from "@countersign/testing";
import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { request } from "../request.ts";
import { tempFolder } from "../temp-folder.ts";
import { startSearchIndex } from "./search-index.ts";
import type { Trillian } from "./trillian.ts";

export interface Rekor extends Server {
  readonly url: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly publicKeyFile: string;
}

export interface RekorOptions {
  readonly trillian: Trillian;
  /** Whether it can be asked what it has of a digest. Default false. */
  readonly searchable?: boolean;
}

const endpoints = [
  "getLogInfo",
  "getPublicKey",
  "getLogProof",
  "createLogEntry",
  "getLogEntryByIndex",
  "getLogEntryByUUID",
  "searchLogQuery",
];

/** Rekor v1, with a new key and a new tree. It also wants port 2112 for its metrics, and shrugs when somebody has it. */
export async function startRekor({ trillian, searchable = false }: RekorOptions): Promise<Rekor> {
  const folder = tempFolder("rekor");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const index = searchable ? await startSearchIndex() : undefined;
  const args = ["serve", "--rekor_server.address=127.0.0.1", `--port=${port}`, "--rekor_server.hostname=rekor.test"];
  args.push("--rekor_server.signer=memory", "--trillian_log_server.address=127.0.0.1", `--trillian_log_server.port=${trillian.port}`);
  // With the search switched on and no index to ask, it answers 500.
  if (index) args.push("--redis_server.address=127.0.0.1", `--redis_server.port=${index.port}`);
  else args.push("--enable_retrieve_api=false", `--enabled_api_endpoints=${endpoints.join(",")}`);
  const ready = async (): Promise<true | undefined> => (await request(`${url}/api/v1/log`)).status === 200 || undefined;
  const server = await startServer("rekor-server", part("rekor-server"), args, { ready });
  const publicKey = (await request(`${url}/api/v1/log/publicKey`)).text;
  writeFileSync(`${folder}/public.pem`, publicKey);
  const stop = async (): Promise<void> => void (await Promise.all([server.stop(), index?.stop()]));
  return { url, publicKey, publicKeyFile: `${folder}/public.pem`, logs: server.logs, stop };
}
