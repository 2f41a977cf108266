import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createReadStream, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { freePort } from "@countersign/testing";
import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { request } from "../request.ts";
import { tempFolder } from "../temp-folder.ts";

export interface RekorTiles extends Server {
  /** Writes go to /api/v2/log/entries, reads to /api/v2/checkpoint and /api/v2/tile/…, as at the public log. */
  readonly url: string;
  /** What its checkpoints begin with. */
  readonly origin: string;
  /** SPKI PEM of an Ed25519 key. */
  readonly publicKey: string;
  readonly publicKeyFile: string;
}

/** Rekor v2 on a folder of files. An entry takes up to a second: it is answered when a checkpoint holds it. */
export async function startRekorTiles(): Promise<RekorTiles> {
  const folder = tempFolder("rekor-tiles");
  const tiles = `${folder}/log`;
  mkdirSync(tiles);
  const { publicKey: key, privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(`${folder}/key.pem`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const publicKey = key.export({ type: "spki", format: "pem" }).toString();
  writeFileSync(`${folder}/public.pem`, publicKey);
  const port = await freePort();
  const args = ["serve", `--storage-dir=${tiles}`, `--signer-filepath=${folder}/key.pem`, `--http-port=${port}`];
  // The origin of its checkpoints: verifiers compare it to the host of the log's URL, without the port.
  const origin = "127.0.0.1";
  args.push(`--hostname=${origin}`, `--grpc-port=${await freePort()}`, `--http-metrics-port=${await freePort()}`);
  args.push("--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--checkpoint-interval=100ms", "--batch-max-age=10ms");
  const ready = async (): Promise<true | undefined> => (await request(`http://127.0.0.1:${port}/healthz`)).status === 200 || undefined;
  const server = await startServer("rekor-tiles", part("rekor-tiles"), args, { ready });
  const front = await readsBeside(tiles, port);
  const stop = async (): Promise<void> => void (await Promise.all([server.stop(), front.close()]));
  return { url: front.url, origin, publicKey, publicKeyFile: `${folder}/public.pem`, logs: server.logs, stop };
}

/** The server takes entries and serves none of its files; at the public log, a bucket does that under the same name. */
async function readsBeside(tiles: string, port: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const read = /^\/api\/v2\/(checkpoint|tile\/[\w./]+)$/.exec(`${incoming.url}`)?.[1];
    if (incoming.method === "GET" && read !== undefined && !read.includes("..")) return file(`${tiles}/${read}`, outgoing);
    passOn(incoming, outgoing);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };

  function passOn(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url: path, headers } = incoming;
    const onward = send({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  }
}

function file(path: string, outgoing: ServerResponse): void {
  if (!existsSync(path)) return void outgoing.writeHead(404).end();
  createReadStream(path)
    .on("error", () => outgoing.destroy())
    .pipe(outgoing);
}
