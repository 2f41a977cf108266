import { writeFileSync } from "node:fs";
import { freePort } from "@countersign/testing";
import { part } from "../../../parts/where.ts";
import { type Server, startServer } from "../child.ts";
import { request } from "../request.ts";
import { tempFolder } from "../temp-folder.ts";
import { type CtLog, ctLogToBe } from "./ct-log.ts";
import type { Trillian } from "./trillian.ts";

/** Whose tokens count, and what becomes the name in the certificate. */
export interface TrustedIssuer {
  readonly url: string;
  readonly type: "email" | "kubernetes" | "uri" | "spiffe";
  readonly subjectDomain?: string;
  readonly spiffeTrustDomain?: string;
  /** PEM of whoever signed its TLS certificate. */
  readonly ca?: string;
}

export interface Fulcio extends Server {
  readonly url: string;
  /** PEM, the issuing certificate first. */
  readonly chain: string;
  readonly chainFile: string;
  readonly ctLog: CtLog | undefined;
}

export interface FulcioOptions {
  readonly issuers: readonly TrustedIssuer[];
  /** Where a CT log of its own keeps its tree; without it, certificates carry no SCT. */
  readonly trillian?: Trillian;
}

/** Its authority is made anew at each start, so the CT log that is to know it begins to listen after it. */
export async function startFulcio(options: FulcioOptions): Promise<Fulcio> {
  const folder = tempFolder("fulcio");
  const [port, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const issuers = options.issuers.map(
    ({ url: IssuerURL, type: Type, subjectDomain: SubjectDomain, spiffeTrustDomain: SPIFFETrustDomain, ca: CACert }) => [
      IssuerURL,
      { ClientID: "sigstore", IssuerURL, Type, SubjectDomain, SPIFFETrustDomain, CACert },
    ],
  );
  writeFileSync(`${folder}/config.json`, JSON.stringify({ OIDCIssuers: Object.fromEntries(issuers) }));
  const log = options.trillian && (await ctLogToBe());
  const url = `http://127.0.0.1:${port}`;
  const args = ["serve", "--ca=ephemeralca", `--config-path=${folder}/config.json`, "--host=127.0.0.1", `--port=${port}`];
  args.push("--grpc-host=127.0.0.1", `--grpc-port=${grpcPort}`, `--metrics-port=${metricsPort}`);
  args.push(`--legacy-unix-domain-socket=${folder}/grpc.sock`);
  args.push(...(log ? [`--ct-log-url=${log.url}`, `--ct-log-public-key-path=${log.publicKeyFile}`] : ["--ct-log-url="]));
  const server = await startServer("fulcio", part("fulcio"), args, {
    ready: async () => (await request(`${url}/healthz`)).status === 200 || undefined,
  });
  const chain = (await request(`${url}/api/v1/rootCert`)).text;
  writeFileSync(`${folder}/chain.pem`, chain);
  const ctLog = options.trillian && (await log?.start({ trillian: options.trillian, roots: chain }));
  const stop = async (): Promise<void> => void (await Promise.all([server.stop(), ctLog?.stop()]));
  return { url, chain, chainFile: `${folder}/chain.pem`, ctLog, logs: server.logs, stop };
}
