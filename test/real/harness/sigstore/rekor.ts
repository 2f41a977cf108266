import { writeFileSync } from "node:fs";
import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { freePort } from "../free-port.ts";
import { request } from "../request.ts";
import { tempFolder } from "../temp-folder.ts";
import type { Trillian } from "./trillian.ts";

export interface Rekor extends Server {
  readonly url: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly publicKeyFile: string;
}

/**
 * Rekor v1, with a new key and a new tree, and without a search index: nobody can ask it what it has of a digest. It also wants port 2112 for
 * its metrics, and shrugs when somebody has it.
 */
export async function startRekor({ trillian }: { readonly trillian: Trillian }): Promise<Rekor> {
  const folder = tempFolder("rekor");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["serve", "--rekor_server.address=127.0.0.1", `--port=${port}`, "--rekor_server.hostname=rekor.test"];
  args.push("--rekor_server.signer=memory", "--enable_retrieve_api=false");
  // All but the search: with it switched on and no index to ask, it answers 500.
  const endpoints = [
    "getLogInfo",
    "getPublicKey",
    "getLogProof",
    "createLogEntry",
    "getLogEntryByIndex",
    "getLogEntryByUUID",
    "searchLogQuery",
  ];
  args.push(`--enabled_api_endpoints=${endpoints.join(",")}`);
  args.push("--trillian_log_server.address=127.0.0.1", `--trillian_log_server.port=${trillian.port}`);
  const ready = async (): Promise<true | undefined> => (await request(`${url}/api/v1/log`)).status === 200 || undefined;
  const server = await startServer("rekor-server", part("rekor-server"), args, { ready });
  const publicKey = (await request(`${url}/api/v1/log/publicKey`)).text;
  writeFileSync(`${folder}/public.pem`, publicKey);
  return { url, publicKey, publicKeyFile: `${folder}/public.pem`, logs: server.logs, stop: server.stop };
}
