import { freePort } from "@countersign/testing";
import { part } from "../../parts/where.ts";
import { type Server, startServer } from "./child.ts";
import { request } from "./request.ts";
import { tempFolder } from "./temp-folder.ts";

export interface Etcd extends Server {
  readonly url: string;
}

/** An empty store. Nothing is flushed to disk: only the tests' patience depends on it. */
export async function startEtcd(): Promise<Etcd> {
  const folder = tempFolder("etcd");
  const url = `http://127.0.0.1:${await freePort()}`;
  const peers = `http://127.0.0.1:${await freePort()}`;
  const args = [
    "--name=test",
    `--data-dir=${folder}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
  ];
  args.push(`--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`, `--initial-cluster=test=${peers}`);
  const healthy = async (): Promise<true | undefined> => (await request(`${url}/health`)).status === 200 || undefined;
  const server = await startServer("etcd", part("etcd"), args, { ready: healthy });
  return { url, logs: server.logs, stop: server.stop };
}
