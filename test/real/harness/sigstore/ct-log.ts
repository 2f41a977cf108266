import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { freePort } from "@countersign/testing";
import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { request } from "../request.ts";
import { tempFolder } from "../temp-folder.ts";
import type { Trillian } from "./trillian.ts";

export interface CtLog extends Server {
  /** With the log's prefix: "http://127.0.0.1:6962/ct". */
  readonly url: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly publicKeyFile: string;
}

/** Its place and its key, before anything listens there. */
export interface CtLogToBe {
  readonly url: string;
  readonly publicKeyFile: string;
  /** Takes certificates of the authority whose PEM is given. */
  start(options: { readonly trillian: Trillian; readonly roots: string }): Promise<CtLog>;
}

export async function ctLogToBe(): Promise<CtLogToBe> {
  const folder = tempFolder("ct-log");
  const { publicKey: key, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const passphrase = "of-a-test";
  // The log reads encrypted keys only, in PEM's old way of encryption.
  writeFileSync(`${folder}/key.pem`, privateKey.export({ type: "sec1", format: "pem", cipher: "aes-256-cbc", passphrase }), {
    mode: 0o600,
  });
  const publicKey = key.export({ type: "spki", format: "pem" }).toString();
  const publicKeyFile = `${folder}/public.pem`;
  writeFileSync(publicKeyFile, publicKey);
  const host = `127.0.0.1:${await freePort()}`;
  const url = `http://${host}/ct`;
  return { url, publicKeyFile, start };

  async function start({ trillian, roots }: { readonly trillian: Trillian; readonly roots: string }): Promise<CtLog> {
    writeFileSync(`${folder}/roots.pem`, roots);
    const keyFile = `[type.googleapis.com/keyspb.PEMKeyFile] { path: "${folder}/key.pem" password: "${passphrase}" }`;
    const log = [
      ...[`log_id: ${await trillian.tree()}`, `prefix: "ct"`, `roots_pem_file: "${folder}/roots.pem"`, `private_key: { ${keyFile} }`],
      ...["max_merge_delay_sec: 86400", "expected_merge_delay_sec: 1"],
    ];
    writeFileSync(`${folder}/log.cfg`, `config { ${log.join("\n")} }\n`);
    const args = [`--log_config=${folder}/log.cfg`, `--log_rpc_server=${trillian.address}`, `--http_endpoint=${host}`];
    args.push(`--metrics_endpoint=127.0.0.1:${await freePort()}`);
    const ready = async (): Promise<true | undefined> => (await request(`${url}/ct/v1/get-sth`)).status === 200 || undefined;
    const server = await startServer("ct-server", part("ct-server"), args, { ready });
    return { url, publicKey, publicKeyFile, logs: server.logs, stop: server.stop };
  }
}
