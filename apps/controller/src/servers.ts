import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

export function serveMetrics(port: number, registry: Registry, trouble: (error: unknown) => void): Server {
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") return void response.writeHead(404).end();
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error: unknown) => {
        trouble(error);
        response.writeHead(500).end();
      },
    );
  });
  return server.on("error", trouble).listen(port);
}

export interface Probes {
  /** Undefined: ready. */
  readonly unready: () => string | undefined;
  readonly stopping: () => boolean;
}

/** /health answers 500 once the process was told to stop; /readiness also says what it waits for. */
export function serveProbes(port: number, { unready, stopping }: Probes, trouble: (error: unknown) => void): Server {
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (path !== "/health" && path !== "/readiness") return void response.writeHead(404).end();
    const why = stopping() ? "stopping" : path === "/readiness" ? unready() : undefined;
    response.writeHead(why ? 500 : 200, { "content-type": "text/plain; charset=utf-8" }).end(`${why ?? "ok"}\n`);
  });
  return server.on("error", trouble).listen(port);
}
