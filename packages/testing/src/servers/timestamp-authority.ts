import { createHash, randomBytes, sign, type X509Certificate } from "node:crypto";
import { createServer } from "node:http";
import type { TrustedAuthority } from "@countersign/core";
import { ASN1Obj, X509Certificate as ParsedCertificate } from "@sigstore/core";
import { der, generalizedTime, integer, nothing, octets, oid, sequence, setOf, tagged, utcTime } from "./der.ts";
import { bodyOf, listening } from "./listening.ts";
import type { TimestampSigner } from "./timestamp-certificates.ts";

/**
 * What can be wrong with what it answers; for faults of the network put `misbehave` in front.
 * other-hash: a token about something else. other-nonce: an answer to another question. other-authority: signed by an authority that
 * nobody knows. other-purpose: signed by a certificate for code. wrong-signature. rejected: a reply without token. garbage: no reply at all.
 */
export type TimestampMood = "other-hash" | "other-nonce" | "other-authority" | "other-purpose" | "wrong-signature" | "rejected" | "garbage";

export interface TimestampAuthorityOptions {
  /** Milliseconds since 1970; tokens carry it in whole seconds. */
  readonly now?: () => number;
  readonly port?: number;
}

export interface TimestampAuthority {
  /** Origin; tokens are had at /api/v1/timestamp. */
  readonly url: string;
  /** As trust roots name it: its own certificate first, the root last. */
  readonly authority: TrustedAuthority;
  /** Tokens given out. */
  readonly issued: number;
  /** Replace it at any time. */
  mood: TimestampMood | undefined;
  close(): Promise<void>;
}

const [sha256Oid, sha384Oid, sha512Oid] = ["2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"];
const [signedDataOid, tstInfoOid, ecdsaOid] = ["1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4", "1.2.840.10045.4.3.2"];
const policyOid = "1.3.6.1.4.1.57264.2";

/** An authority for RFC 3161 timestamps, as sigstore's is one: queries in DER or JSON. */
export async function timestampAuthority(options: TimestampAuthorityOptions = {}): Promise<TimestampAuthority> {
  const { now = Date.now } = options;
  // Whoever starts none does not wait for the library.
  const { timestampCertificates } = await import("./timestamp-certificates.ts");
  const house = await timestampCertificates(now());
  const stranger = await timestampCertificates(now());
  let issued = 0;

  const server = createServer(async (request, response) => {
    const { method = "GET", url: path = "/" } = request;
    const body = await bodyOf(request);
    const typed = (type: string) => response.writeHead(200, { "content-type": type });
    if (method === "GET" && path === "/ping") return typed("text/plain").end("pong");
    if (method === "GET" && path === "/api/v1/timestamp/certchain")
      return typed("application/pem-certificate-chain").end(house.certificates.join(""));
    if (path !== "/api/v1/timestamp") return response.writeHead(404).end();
    if (method !== "POST") return response.writeHead(405).end();
    const [type = ""] = (request.headers["content-type"] ?? "").split(";");
    const isJson = type === "application/json";
    if (!isJson && type !== "application/timestamp-query") return response.writeHead(415).end();
    if (body.length === 0) return response.writeHead(422).end();
    try {
      const reply = replyTo(isJson ? jsonQuery(body) : derQuery(body));
      return response.writeHead(200, { "content-type": "application/timestamp-reply" }).end(reply);
    } catch {
      return response.writeHead(400, { "content-type": "application/json" }).end('{"code":400,"message":"Error parsing request"}');
    }
  });
  const { host, close } = await listening(server, options.port);
  const self: TimestampAuthority = {
    url: `http://${host}`,
    authority: { url: `http://${host}`, certificates: house.certificates },
    get issued() {
      return issued;
    },
    mood: undefined,
    close,
  };
  return self;

  function replyTo(query: Query): Buffer {
    if (self.mood === "garbage") return Buffer.from("<html>welcome to the gateway</html>");
    if (self.mood === "rejected") return sequence(sequence(integer(Buffer.of(2))));
    issued += 1;
    return sequence(sequence(integer(Buffer.of(0))), tokenFor(query));
  }

  function signer(): TimestampSigner {
    if (self.mood === "other-authority") return stranger.own;
    return self.mood === "other-purpose" ? house.forCode : house.own;
  }

  function tokenFor({ hashOid, digest, nonce, certificates }: Query): Buffer {
    const at = new Date(now());
    const imprint = self.mood === "other-hash" ? createHash("sha256").update("something else").digest() : digest;
    const asked = self.mood === "other-nonce" ? Buffer.of(1) : nonce;
    const tstInfo = sequence(
      integer(Buffer.of(1)),
      oid(policyOid),
      sequence(sequence(oid(hashOid), nothing()), octets(imprint)),
      integer(randomBytes(16)),
      generalizedTime(at),
      sequence(integer(Buffer.of(1))), // accurate to a second
      ...(asked ? [integer(asked)] : []),
    );
    const { leaf, privateKey } = signer();
    const attributes = attributesFor(tstInfo, leaf, at);
    const mark = sign("sha256", setOf(...attributes), privateKey);
    if (self.mood === "wrong-signature") mark.writeUInt8((mark.at(-1) ?? 0) ^ 1, mark.length - 1);
    const parsed = ParsedCertificate.parse(leaf.raw as Buffer<ArrayBuffer>);
    const signerInfo = sequence(
      integer(Buffer.of(1)),
      sequence(der(0x30, parsed.issuer), der(0x02, parsed.serialNumber)),
      sequence(oid(sha256Oid)),
      // [0] instead of SET: the signature is over the set.
      Buffer.concat([Buffer.of(0xa0), setOf(...attributes).subarray(1)]),
      sequence(oid(ecdsaOid)),
      octets(mark),
    );
    const signedData = sequence(
      integer(Buffer.of(3)),
      setOf(sequence(oid(sha256Oid))),
      sequence(oid(tstInfoOid), tagged(0, octets(tstInfo))),
      ...(certificates ? [tagged(0, leaf.raw)] : []),
      setOf(signerInfo),
    );
    return sequence(oid(signedDataOid), tagged(0, signedData));
  }
}

/** RFC 3161 section 2.4.2 and RFC 5816: what the signer signs besides the token's content. */
function attributesFor(tstInfo: Uint8Array, leaf: X509Certificate, at: Date): readonly Buffer[] {
  const hash = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
  const attribute = (name: string, value: Buffer): Buffer => sequence(oid(name), setOf(value));
  return [
    attribute("1.2.840.113549.1.9.3", oid(tstInfoOid)),
    attribute("1.2.840.113549.1.9.5", utcTime(at)),
    attribute("1.2.840.113549.1.9.4", octets(hash(tstInfo))),
    attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(octets(hash(leaf.raw)))))),
  ];
}

interface Query {
  readonly hashOid: string;
  readonly digest: Uint8Array;
  readonly nonce: Uint8Array | undefined;
  readonly certificates: boolean;
}

/** RFC 3161 section 2.4.1. */
function derQuery(body: Buffer): Query {
  const { subs } = ASN1Obj.parseBuffer(body as Buffer<ArrayBuffer>);
  const [, imprint, ...rest] = subs;
  const [algorithm, digest] = imprint?.subs ?? [];
  const hashOid = algorithm?.subs[0]?.toOID() ?? "";
  if (!digest || digest.value.length !== digestLengths[hashOid]) throw new TypeError("no imprint");
  const nonce = rest.find(({ tag }) => tag.isInteger())?.value;
  if (nonce?.[0] === 0 && (nonce[1] ?? 0x80) < 0x80) throw new TypeError("a needless zero"); // as Go's parser refuses it
  return { hashOid, digest: digest.value, nonce, certificates: rest.some((part) => part.tag.isBoolean() && part.toBoolean()) };
}

const digestLengths: Readonly<Record<string, number>> = { [sha256Oid]: 32, [sha384Oid]: 48, [sha512Oid]: 64 };

function jsonQuery(body: Buffer): Query {
  const { artifactHash, hashAlgorithm, nonce, certificates = false } = JSON.parse(body.toString());
  const hashOid = { sha256: sha256Oid, sha384: sha384Oid, sha512: sha512Oid }[String(hashAlgorithm).replace("-", "").toLowerCase()] ?? "";
  const digest = Buffer.from(artifactHash, "base64");
  if (digest.length !== digestLengths[hashOid]) throw new TypeError("no imprint");
  return { hashOid, digest, nonce: nonce === undefined ? undefined : bytesOf(BigInt(nonce).toString(16)), certificates };
}

const bytesOf = (hex: string): Buffer => Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
