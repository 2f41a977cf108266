import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { createServer } from "node:http";
import { leafHash } from "@countersign/bundle";
import type { TrustedKey } from "@countersign/core";
import { json } from "@sigstore/core";
import { bodyOf, listening } from "./listening.ts";
import { type MerkleTree, merkleTree } from "./merkle-tree.ts";
import { isSignatureOverHash, type Sha2 } from "./prehashed.ts";
import { isPermitted } from "./rekor-entries.ts";
import { noteKeyId, signedCheckpoint } from "./signed-note.ts";

/**
 * What can be wrong with what it answers; for faults of the network put `misbehave` in front.
 * stalls: takes the entry and never answers. garbage: an answer that is no entry. wrong-proof: another leaf's path. smaller-tree: the
 * checkpoint of an older tree. other-log: signed by a key that nobody knows. other-entry: a stranger's entry. frozen: takes no more.
 * unpublished: the checkpoint that readers get does not know the last entry yet.
 */
export type RekorTilesMood = "stalls" | "garbage" | "wrong-proof" | "smaller-tree" | "other-log" | "other-entry" | "frozen" | "unpublished";

export interface RekorTilesOptions {
  /** The log's name. Default: the host of its address without port, as sigstore's clients demand it. */
  readonly origin?: string;
  /** Whether checkpoint and tiles can be read at the same address. Default true; the server alone does not serve them. */
  readonly readable?: boolean;
  readonly port?: number;
}

export interface RekorTilesEntry {
  readonly logIndex: number;
  /** Canonical JSON. */
  readonly body: string;
}

export interface RekorTiles {
  readonly url: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly logs: readonly TrustedKey[];
  readonly entries: readonly RekorTilesEntry[];
  /** In the order of arrival. */
  readonly seen: readonly { readonly method: string; readonly path: string; readonly status: number }[];
  /** Replace it at any time. */
  mood: RekorTilesMood | undefined;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array | string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
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

/** Rekor v2 in memory: hashedrekord 0.0.2 entries, an Ed25519 checkpoint with each answer, a tree that can be read in tiles. */
export async function rekorTiles(options: RekorTilesOptions = {}): Promise<RekorTiles> {
  const { origin = "127.0.0.1", readable = true } = options;
  const keys: Keys = generateKeyPairSync("ed25519");
  const stranger: Keys = generateKeyPairSync("ed25519");
  const keyId = noteKeyId(origin, keys.publicKey).toString("base64");
  const tree = merkleTree();
  const entries: RekorTilesEntry[] = [];
  const places = new Map<string, number>();
  const seen: { method: string; path: string; status: number }[] = [];

  const server = createServer(async (request, response) => {
    const { method = "GET", url: path = "/" } = request;
    const answer = answerTo(method, path, (await bodyOf(request)).toString());
    if (!answer) return; // it stalls
    const { status, headers, body } = answer;
    seen.push({ method, path, status });
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(bytes);
  });
  const { host, close } = await listening(server, options.port);
  const publicKey = keys.publicKey.export({ type: "spki", format: "pem" }).toString();
  const self: RekorTiles = {
    url: `http://${host}`,
    publicKey,
    logs: [{ keyId, publicKey, url: `http://${host}` }],
    entries,
    seen,
    mood: undefined,
    close,
  };
  return self;

  function answerTo(method: string, path: string, body: string): Answer | undefined {
    try {
      if (method === "GET" && path === "/healthz") return { status: 200, body: { status: "SERVING" } };
      if (method === "POST" && path === "/api/v2/log/entries") return create(body);
      if (method === "GET" && path.startsWith("/api/v2/") && !readable) throw new Refused(501, 12, "method not implemented");
      if (method === "GET" && path === "/api/v2/log/entries") throw new Refused(501, 12, "Method Not Allowed");
      if (method === "GET" && path === "/api/v2/checkpoint")
        return published(checkpoint(self.mood === "unpublished" ? tree.size - 1 : tree.size, keys));
      const [, level = "", name = "", width] =
        /^\/api\/v2\/tile\/(entries|[0-9]+)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]+))?$/.exec(path) ?? [];
      if (method === "GET" && level !== "") return published(tileOf(level, Number(name.replaceAll(/[x/]/g, "")), Number(width ?? 256)));
      throw new Refused(404, 5, "Not Found");
    } catch (error) {
      if (!(error instanceof Refused)) return { status: 400, body: { code: 3, message: "invalid hashedrekord request", details: [] } };
      return { status: error.status, body: { code: error.code, message: error.message, details: [] } };
    }
  }

  function create(text: string): Answer | undefined {
    if (self.mood === "frozen") return { status: 405, body: "This log has been frozen, please switch to the latest log.\n" };
    const body = bodyFrom(JSON.parse(text));
    const known = places.get(body);
    if (known !== undefined) return conflict(known);
    const place = tree.append(leafHash(Buffer.from(body)));
    places.set(body, place);
    entries.push({ logIndex: place, body });
    if (self.mood === "stalls") return undefined;
    if (self.mood === "garbage") return { status: 201, body: "<html>welcome to the gateway</html>" };
    return { status: 201, body: told(self.mood === "other-entry" && place > 0 ? place - 1 : place) };
  }

  function conflict(place: number): Answer {
    const message = `an equivalent entry already exists in the transparency log with index ${place}`;
    return { status: 409, headers: { "x-log-index": `${place}` }, body: { code: 6, message, details: [] } };
  }

  /** An entry as it is answered: protobuf's JSON with its zeros. */
  function told(place: number): object {
    const hashes = tree.inclusion(place).map((hash) => Buffer.from(hash).toString("base64"));
    const size = self.mood === "smaller-tree" ? tree.size - 1 : tree.size;
    return {
      logIndex: `${place}`,
      logId: { keyId },
      kindVersion: { kind: "hashedrekord", version: "0.0.2" },
      integratedTime: "0",
      inclusionPromise: null,
      inclusionProof: {
        logIndex: `${place}`,
        rootHash: Buffer.from(tree.root()).toString("base64"),
        treeSize: `${tree.size}`,
        hashes: self.mood === "wrong-proof" ? [...hashes, Buffer.alloc(32).toString("base64")] : hashes,
        checkpoint: { envelope: checkpoint(size, self.mood === "other-log" ? stranger : keys) },
      },
      canonicalizedBody: Buffer.from(entries[place]?.body ?? "").toString("base64"),
    };
  }

  function checkpoint(size: number, signer: Keys): string {
    return signedCheckpoint({ origin, name: origin, size, root: tree.root(size) }, signer);
  }

  /** https://c2sp.org/tlog-tiles: 256 hashes of every eighth level, or the entries themselves. */
  function tileOf(level: string, at: number, width: number): Uint8Array {
    const parts = level === "entries" ? entries.map(({ body }) => prefixed(Buffer.from(body))) : rowOf(tree, Number(level));
    const tile = parts.slice(at * 256, at * 256 + width);
    if (tile.length < width || width === 0) throw new Refused(404, 5, "Not Found");
    return Buffer.concat(tile);
  }
}

const published = (body: Uint8Array | string): Answer => ({ status: 200, body, headers: { "content-type": "application/octet-stream" } });
const rowOf = (tree: MerkleTree, level: number): readonly Uint8Array[] => tree.level(level * 8);

function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; what is missing throws and is refused
type Loose = Readonly<Record<string, any>>;

/** The leaf that a request makes. Unknown members are refused, as protobuf's strict JSON does. */
function bodyFrom(request: Loose): string {
  const { hashedRekordRequestV002: asked, ...others } = request;
  if (!asked || Object.keys(others).length > 0) throw new Refused(400, 3, "invalid type, must be hashedrekord");
  const { digest, signature, ...unknown } = asked as Loose;
  if (Object.keys(unknown).length > 0) throw new TypeError("an unknown member");
  const { keyDetails, publicKey, x509Certificate } = signature.verifier as Loose;
  const algorithm = hashes[keyDetails];
  if (!algorithm) throw new TypeError("key details");
  const rawBytes: Buffer = Buffer.from((publicKey ?? x509Certificate).rawBytes, "base64");
  const key = publicKey ? createPublicKey({ key: rawBytes, format: "der", type: "spki" }) : new X509Certificate(rawBytes).publicKey;
  const hashed = Buffer.from(digest, "base64");
  if (!isPermitted(key, algorithm) || hashed.length * 8 !== Number(algorithm.slice(3))) throw new TypeError("algorithm");
  if (!isSignatureOverHash(key, hashed, algorithm, Buffer.from(signature.content, "base64"))) throw new TypeError("signature");
  const verifier = { keyDetails, [publicKey ? "publicKey" : "x509Certificate"]: { rawBytes: rawBytes.toString("base64") } };
  const kept = {
    data: { algorithm: `SHA2_${algorithm.slice(3)}`, digest: hashed.toString("base64") },
    signature: { content: Buffer.from(signature.content, "base64").toString("base64"), verifier },
  };
  return json.canonicalize({ apiVersion: "0.0.2", kind: "hashedrekord", spec: { hashedRekordV002: kept } });
}

const hashes: Readonly<Record<string, Sha2>> = {
  PKIX_RSA_PKCS1V15_2048_SHA256: "sha256",
  PKIX_RSA_PKCS1V15_3072_SHA256: "sha256",
  PKIX_RSA_PKCS1V15_4096_SHA256: "sha256",
  PKIX_ECDSA_P256_SHA_256: "sha256",
  PKIX_ECDSA_P384_SHA_384: "sha384",
  PKIX_ECDSA_P521_SHA_512: "sha512",
  PKIX_ED25519_PH: "sha512",
};
