import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { TrustedKey } from "@countersign/core";
import { type CtLog, ctLog as newCtLog } from "./ct-log.ts";
import type { Authority } from "./fulcio-ca.ts";
import { claimsOf, type IssuerType, identityFrom } from "./fulcio-token.ts";
import { bodyOf, listening } from "./listening.ts";
import { type OidcIssuer, oidcIssuer } from "./oidc-issuer.ts";

/**
 * What can be wrong with what it answers; for faults of the network put `misbehave` in front.
 * other-key: a certificate for somebody else's key. other-chain: issued by a CA that nobody knows, with that CA's chain. broken-chain: its
 * usual chain under a certificate of that CA. foreign-sct: stamped by a log that nobody knows. no-sct. no-v2: only the legacy endpoint.
 */
export type FulcioMood = "other-key" | "other-chain" | "broken-chain" | "foreign-sct" | "no-sct" | "no-v2";

export interface FulcioOptions {
  /** Issuer URL to how its tokens name people. Default: an issuer of its own, of type "uri". */
  readonly issuers?: Readonly<Record<string, IssuerType>>;
  /** false: certificates carry no timestamp. Default: a log of its own. */
  readonly ctLog?: CtLog | false;
  /** Default true: root and intermediate. False: the root issues. */
  readonly intermediate?: boolean;
  readonly lifetimeMs?: number;
  /** Milliseconds since 1970; its certificates begin then. */
  readonly now?: () => number;
  readonly port?: number;
}

export interface FulcioRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface Fulcio {
  readonly url: string;
  /** Where tokens come from, unless other issuers were given. */
  readonly issuer: OidcIssuer;
  /** PEM, the issuing CA first, the root last. */
  readonly certificates: readonly string[];
  /** Every key that its CT log ever had, the present one last. */
  readonly ctLogs: readonly TrustedKey[];
  /** In the order of arrival. */
  readonly seen: readonly FulcioRequest[];
  /** Certificates given out. */
  readonly issued: number;
  /** Replace it at any time. */
  mood: FulcioMood | undefined;
  /** Another key for the CT log from now on. */
  rotateCtLog(): void;
  close(): Promise<void>;
}

/** A CA as Fulcio is one: it checks token and proof of possession, and has its certificates stamped by a CT log. */
export async function fulcio(options: FulcioOptions = {}): Promise<Fulcio> {
  const { now = Date.now, lifetimeMs = 600_000, intermediate = true } = options;
  // Whoever starts no CA does not wait for its library.
  const { certificateAuthority } = await import("./fulcio-ca.ts");
  const issuer = await oidcIssuer({ now, algorithm: "ES256" }); // an RSA key takes ten times as long
  const issuers = options.issuers ?? { [issuer.url]: "uri" };
  const log = options.ctLog === false ? undefined : (options.ctLog ?? newCtLog({ now }));
  const strangers = { log: newCtLog({ now }), authority: undefined as Authority | undefined };
  const authority = await certificateAuthority({ at: now(), intermediate });
  const seen: FulcioRequest[] = [];
  let issued = 0;

  const server = createServer(async (request, response) => {
    const { method = "GET", url: path = "/" } = request;
    const answer = await answerTo(method, path, request, await bodyOf(request)).catch(refusal);
    seen.push({ method, path, status: answer.status });
    response.writeHead(answer.status, { "content-type": answer.type ?? "application/json" }).end(answer.body);
  });
  const { host, close } = await listening(server, options.port);
  const self: Fulcio = {
    url: `http://${host}`,
    issuer,
    certificates: authority.certificates,
    ctLogs: log?.keys ?? [],
    seen,
    get issued() {
      return issued;
    },
    mood: undefined,
    rotateCtLog: () => log?.rotate(),
    close: async () => void (await Promise.all([close(), issuer.close()])),
  };
  return self;

  async function answerTo(method: string, path: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { certificates } = authority;
    if (path === "/healthz") return { status: 200, body: '{"status":"SERVING"}' };
    if (path === "/api/v2/trustBundle") return { status: 200, body: JSON.stringify({ chains: [{ certificates }] }) };
    if (path === "/api/v2/configuration") return { status: 200, body: JSON.stringify({ issuers: Object.keys(issuers).map(described) }) };
    if (path === "/api/v1/rootCert") return { status: 200, type: pemChain, body: certificates.join("").trimEnd() };
    if (method === "POST" && path === "/api/v1/signingCert") {
      const { chain } = await certified(legacyOrder(request, body));
      return { status: 201, type: pemChain, body: chain.join("").trimEnd() };
    }
    if (method === "POST" && path === "/api/v2/signingCert" && self.mood !== "no-v2") {
      const { chain, stamped } = await certified(orderFrom(request, body));
      const member = stamped ? "signedCertificateEmbeddedSct" : "signedCertificateDetachedSct";
      return { status: 200, body: JSON.stringify({ [member]: { chain: { certificates: chain } } }) };
    }
    throw new Refused(404, 5, "Not Found");
  }

  function described(url: string): object {
    return { issuerUrl: url, audience: "sigstore", challengeClaim: issuers[url] === "email" ? "email" : "sub" };
  }

  async function certified({
    token,
    key,
    proof,
  }: CertificateOrder): Promise<{ readonly chain: readonly string[]; readonly stamped: boolean }> {
    const identity = await claimsOf(token, Object.keys(issuers), now())
      .then((claims) => identityFrom(claims, issuers[String(claims["iss"])] ?? "uri"))
      .catch(() => {
        throw new Refused(400, 3, "There was an error processing the identity token");
      });
    const publicKey = keyFrom(key);
    const hash = hashOf(publicKey);
    if (hash === undefined || !verify(hash, Buffer.from(identity.challenge), publicKey, proof))
      throw new Refused(400, 3, "The signature supplied in the request could not be verified");
    const { mood } = self;
    const ctLog = mood === "foreign-sct" ? strangers.log : mood === "no-sct" ? undefined : log;
    const foreign = mood === "other-chain" || mood === "broken-chain";
    if (foreign) strangers.authority ??= await certificateAuthority({ at: now(), intermediate });
    const ca = (foreign && strangers.authority) || authority;
    const certificate = await ca.issue({
      publicKey: mood === "other-key" ? generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey : publicKey,
      identity,
      notBefore: now(),
      lifetimeMs,
      ctLog,
    });
    issued += 1;
    return { chain: [certificate, ...(mood === "broken-chain" ? authority : ca).certificates], stamped: ctLog !== undefined };
  }
}

const pemChain = "application/pem-certificate-chain";

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

class Refused extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function refusal(error: unknown): Answer {
  const { status, code, message } = error instanceof Refused ? error : new Refused(400, 3, "The request could not be read");
  return { status, body: JSON.stringify({ code, message, details: [] }) };
}

interface CertificateOrder {
  readonly token: string;
  /** PEM, or DER. */
  readonly key: Buffer;
  readonly proof: Buffer;
}

const bearerOf = ({ headers: { authorization = "" } }: IncomingMessage): string => /^bearer (\S+)$/i.exec(authorization)?.[1] ?? "";

function orderFrom(request: IncomingMessage, body: Buffer): CertificateOrder {
  const { credentials, publicKeyRequest } = JSON.parse(body.toString());
  const token = String(credentials?.oidcIdentityToken ?? bearerOf(request));
  const { publicKey, proofOfPossession } = publicKeyRequest;
  return { token, key: Buffer.from(publicKey.content), proof: Buffer.from(proofOfPossession, "base64") };
}

function legacyOrder(request: IncomingMessage, body: Buffer): CertificateOrder {
  const { publicKey, signedEmailAddress } = JSON.parse(body.toString());
  return { token: bearerOf(request), key: Buffer.from(publicKey.content, "base64"), proof: Buffer.from(signedEmailAddress, "base64") };
}

function keyFrom(key: Buffer): KeyObject {
  return key.includes("-----BEGIN") ? createPublicKey(key) : createPublicKey({ key, format: "der", type: "spki" });
}

/** What a key's proof is hashed with; undefined for keys that get no certificate. */
function hashOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null | undefined {
  const hashes: Readonly<Record<string, string>> = { prime256v1: "sha256", secp384r1: "sha384", secp521r1: "sha512" };
  if (type === "ed25519") return null;
  if (type === "rsa") return [2048, 3072, 4096].includes(details?.modulusLength ?? 0) ? "sha256" : undefined;
  return hashes[details?.namedCurve ?? ""];
}
