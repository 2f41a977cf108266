import { stat } from "node:fs/promises";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { type Call, CountersignError } from "@countersign/core";
import type { Provider, Surroundings } from "../provider.ts";
import { requestFor, svidIn } from "./workload-message.ts";

/** Where a SPIRE agent listens unless SPIFFE_ENDPOINT_SOCKET says otherwise. */
export const defaultWorkloadSocket = "/tmp/spire-agent/public/api.sock";

const source = "the SPIFFE Workload API";
const deadlineMs = 10_000;
const maxBytes = 1024 * 1024;

/** A JWT-SVID of the SPIFFE Workload API, asked over its Unix socket. */
export function spiffeProvider({ env, audience, defaultSocket }: Surroundings & { readonly defaultSocket: string }): Provider {
  const socket = socketPath(env["SPIFFE_ENDPOINT_SOCKET"] || defaultSocket);
  return {
    name: "spiffe",
    enabled: async () => (await stat(socket).catch(() => undefined)) !== undefined,
    async token({ signal }) {
      signal.throwIfAborted();
      const response = await fetchSvid(socket, requestFor(audience), { signal });
      const token = svidOf(response);
      if (token) return { token, source };
      throw unavailable(`${source} at ${socket} gave no JWT-SVID; register an entry for this workload`);
    },
  };
}

/** Chains takes a plain path, the SPIFFE specification says unix:///path, unix:/path too. */
const socketPath = (text: string): string => text.replace(/^unix:(\/\/)?/, "");

/** One unary gRPC call over a socket: a length-prefixed message each way, the outcome in the trailers. */
function fetchSvid(socket: string, message: Uint8Array, { signal }: Call): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
  const deadline = setTimeout(() => reject(unavailable(`${source} at ${socket} did not answer within ${deadlineMs} ms`)), deadlineMs);
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const unreachable = (): void =>
    reject(unavailable(`${source} at ${socket} cannot be reached: is the SPIRE agent running, and its socket mounted here?`));
  session.on("error", unreachable);
  const stream = session.request({
    ":method": "POST",
    ":path": "/SpiffeWorkloadAPI/FetchJWTSVID",
    "content-type": "application/grpc",
    te: "trailers",
    "workload.spiffe.io": "true",
  });
  const chunks: Buffer[] = [];
  let [size, status] = [0, ""];
  const outcome = (headers: Readonly<Record<string, unknown>>): void => {
    status = String(headers["grpc-status"] ?? status);
  };
  stream.on("response", outcome);
  stream.on("trailers", outcome);
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) reject(unavailable(`${source} at ${socket} answered more than ${maxBytes} bytes`));
    else chunks.push(chunk);
  });
  stream.on("error", unreachable);
  stream.on("close", () => {
    if (status !== "0") return reject(refusal(status, socket));
    resolve(messageIn(Buffer.concat(chunks)));
  });
  stream.end(Buffer.concat([Buffer.of(0), uint32(message.length), message]));
  return promise.finally(() => {
    clearTimeout(deadline);
    signal.removeEventListener("abort", onAbort);
    stream.close(constants.NGHTTP2_CANCEL);
    session.destroy();
  });
}

/** One message, uncompressed. */
function messageIn(bytes: Buffer): Uint8Array {
  return bytes.length >= 5 && bytes[0] === 0 ? bytes.subarray(5, 5 + bytes.readUInt32BE(1)) : new Uint8Array();
}

function svidOf(response: Uint8Array): string | undefined {
  try {
    return svidIn(response);
  } catch {
    return undefined;
  }
}

const permissionDenied = "7";

/** An entry takes some seconds from the SPIRE server to its agents, so that one is missing may pass by itself. */
function refusal(status: string, socket: string): CountersignError {
  const at = `${source} at ${socket}`;
  if (status === permissionDenied)
    return unavailable(`${at} knows no identity for this workload: register an entry for it; it is asked again`);
  return unavailable(`${at} failed (gRPC status ${status || "missing"}); it is asked again`);
}

const unavailable = (sentence: string): CountersignError => new CountersignError("sign.token-unreachable", sentence, { retry: "wait" });
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
