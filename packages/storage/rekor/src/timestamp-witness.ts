import { randomBytes } from "node:crypto";
import { dsseEnvelope, timestampsIn } from "@countersign/bundle";
import {
  type Attestation,
  type Call,
  CountersignError,
  type Evidence,
  type TrustedAuthority,
  type TrustSource,
  type Witness,
} from "@countersign/core";
import { type Server, type ServerOptions, serverAt, theAuthority } from "./server.ts";
import { timestampQuery } from "./timestamp-query.ts";
import { type TokenRules, tokenFault, unknownAuthority } from "./timestamp-token.ts";

export interface TimestampOptions extends ServerOptions {
  /** Whose tokens are believed. Default: anybody's that hold together. */
  readonly trust?: TrustSource<{ readonly timestampAuthorities: readonly TrustedAuthority[] }>;
  /** What the token is over. "signature" for bundles and `.sig` tags, "envelope" for statements in `.att` tags. Default "signature". */
  readonly over?: "signature" | "envelope";
}

/** A timestamp authority says when it saw the signature (RFC 3161): logs without a time of their own (Rekor v2) need its word. */
export function timestampWitness({ trust, over = "signature", ...options }: TimestampOptions): Witness {
  const server = serverAt({ ...options, url: withPath(options.url) }, theAuthority);
  return { name: "timestamp", testify };

  async function testify(attestation: Attestation, call: Call): Promise<Evidence> {
    call.signal.throwIfAborted();
    server.base();
    const isEnvelope = over === "envelope" && attestation.payload.envelope === "dsse";
    const about = isEnvelope ? Buffer.from(dsseEnvelope(attestation)) : attestation.signature.bytes;
    for (const token of timestampsIn(attestation.evidence, isEnvelope ? "envelope" : "signature"))
      if (!(await fault(Buffer.from(token, "base64"), about, {}, call))) return wordOf(token, isEnvelope);
    const nonce = randomBytes(8);
    const token = await reply(server, timestampQuery(about, nonce), call);
    const why = await fault(token, about, { nonce }, call);
    if (!why) return wordOf(Buffer.from(token).toString("base64"), isEnvelope);
    const sentence = `${server.base()} answered a token that is not to be believed: ${why}; see the authority, and whether the trust root knows it`;
    throw new CountersignError("witness.timestamp-unsound", sentence, { retry: "wait" });
  }

  /** Meeting an unknown authority, it looks for a newer trust root once. */
  async function fault(token: Uint8Array, about: Uint8Array, rules: TokenRules, call: Call): Promise<string | undefined> {
    const root = await trust?.(call);
    const why = tokenFault(token, about, { ...rules, authorities: root?.timestampAuthorities });
    if (!root || why !== unknownAuthority) return why;
    const newer = await trust?.({ ...call, fresh: true });
    return tokenFault(token, about, { ...rules, authorities: newer?.timestampAuthorities ?? [] });
  }
}

const wordOf = (token: string, isEnvelope: boolean): Evidence => ({ kind: "timestamp", token, ...(isEnvelope && { over: "envelope" }) });

async function reply(server: Server, body: Uint8Array, call: Call): Promise<Uint8Array> {
  const headers = { accept: "application/timestamp-reply", "content-type": "application/timestamp-query" };
  const answer = await server.ask({ method: "POST", path: "", body, headers }, call);
  if (answer.status === 200 || answer.status === 201) return answer.body;
  throw server.refusal(answer, "transparency.tsa.url must name an RFC 3161 timestamp authority");
}

/** Sigstore's authorities have one path; a full address stands as it is. */
function withPath(url: string): string {
  return URL.canParse(url) && new URL(url).pathname === "/" ? `${url.replace(/\/+$/, "")}/api/v1/timestamp` : url;
}
