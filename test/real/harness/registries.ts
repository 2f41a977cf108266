import { writeFileSync } from "node:fs";
import { freePort } from "@countersign/testing";
import { part } from "../../parts/where.ts";
import { type Server, startServer } from "./child.ts";
import { request } from "./request.ts";
import { tempFolder } from "./temp-folder.ts";

export interface Registry extends Server {
  /** "127.0.0.1:5000". */
  readonly host: string;
  readonly url: string;
}

/** Distribution 2.8 with blobs in memory: no Referrers API, deletion allowed. */
export async function startDockerRegistry(port?: number): Promise<Registry> {
  const folder = tempFolder("docker-registry");
  const host = `127.0.0.1:${port ?? (await freePort())}`;
  const config = {
    version: 0.1,
    storage: { inmemory: {}, delete: { enabled: true } },
    http: { addr: host, secret: "of-a-test" },
    log: { level: "info" },
  };
  writeFileSync(`${folder}/config.yml`, JSON.stringify(config));
  const ready = async (): Promise<true | undefined> => (await request(`http://${host}/v2/`)).status === 200 || undefined;
  const server = await startServer("docker-registry", part("docker-registry"), ["serve", `${folder}/config.yml`], { ready });
  return { host, url: `http://${host}`, logs: server.logs, stop: server.stop };
}

/** CUE's registry in memory, with the Referrers API unless told otherwise. */
export async function startOciRegistry(options: { readonly referrers?: boolean } = {}): Promise<Registry> {
  const args = options.referrers === false ? ["-no-referrers"] : [];
  const ready = (logs: string): string | undefined => /^(127\.0\.0\.1:\d+)$/m.exec(logs)?.[1];
  const server = await startServer("oci-registry", part("oci-registry"), args, { ready });
  return { host: server.answer, url: `http://${server.answer}`, logs: server.logs, stop: server.stop };
}
