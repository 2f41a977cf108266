import { sign } from "node:crypto";
import { createServer } from "node:http";
import { leafHash, promiseText } from "@countersign/bundle";
import type { TrustedKey } from "@countersign/core";
import { bodyOf, listening } from "./listening.ts";
import { judge, type Kept, keptOf, Unacceptable } from "./rekor-entries.ts";
import type { RekorMood } from "./rekor-mood.ts";
import { type Loose, parsed, Refused, wholeNumber } from "./rekor-refusal.ts";
import { termsOf } from "./rekor-search.ts";
import { consistencyOf, infoOf, newShard, pemOf, type Shard, treeHex } from "./rekor-shard.ts";

export interface RekorOptions {
  /** The name in its checkpoints. Default "rekor.localhost". */
  readonly hostname?: string;
  /** Whether it can be searched by hash. Default true. */
  readonly index?: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly port?: number;
}

export interface RekorEntry {
  readonly uuid: string;
  /** Over all trees. */
  readonly logIndex: number;
  readonly kind: string;
  readonly version: string;
  /** Canonical JSON. */
  readonly body: string;
}

export interface RekorRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
}

export interface Rekor {
  readonly url: string;
  /** SPKI PEM of the present key. */
  readonly publicKey: string;
  /** Every key it ever had, the present one last. */
  readonly logs: readonly TrustedKey[];
  readonly entries: readonly RekorEntry[];
  /** In the order of arrival. */
  readonly seen: readonly RekorRequest[];
  /** Replace it at any time. */
  mood: RekorMood | undefined;
  /** Another tree with another key from now on; the old one can still be read. */
  rotate(): void;
  close(): Promise<void>;
}

interface Leaf extends RekorEntry {
  readonly shard: Shard;
  /** Within its tree. */
  readonly place: number;
  readonly integratedTime: number;
  readonly index: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Rekor v1 in memory: a real tree with promises, checkpoints and proofs, conflicts, search by hash, trees that follow one another. */
export async function rekor(options: RekorOptions = {}): Promise<Rekor> {
  const { hostname = "rekor.localhost", index = true, now = Date.now } = options;
  const shards: Shard[] = [];
  const leaves: Leaf[] = [];
  const byUuid = new Map<string, Leaf>();
  const judged = judge();
  const seen: RekorRequest[] = [];
  const logs: TrustedKey[] = [];
  const stranger = newShard(hostname, 0, 0);
  let active = rotated();

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const { method = "GET" } = request;
    const answer = answerTo(method, url, (await bodyOf(request)).toString());
    if (!answer) return; // it stalls
    const text = typeof answer.body === "string" ? answer.body : `${JSON.stringify(answer.body)}\n`;
    seen.push({ method, path: url.pathname, status: answer.status });
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers }).end(text);
  });
  const { host, close } = await listening(server, options.port);
  for (const [at, log] of logs.entries()) logs[at] = { ...log, url: `http://${host}` };

  const self: Rekor = {
    url: `http://${host}`,
    get publicKey() {
      return pemOf(active);
    },
    logs,
    entries: leaves,
    seen,
    mood: undefined,
    rotate() {
      active = rotated(`http://${host}`);
    },
    close,
  };
  return self;

  function rotated(url = ""): Shard {
    const shard = newShard(hostname, shards.length, leaves.length);
    shards.push(shard);
    const start = new Date(now() - 86_400_000).toISOString();
    logs.push({ keyId: shard.logId.toString("base64"), publicKey: pemOf(shard), url, validFor: { start } });
    return shard;
  }

  function answerTo(method: string, { pathname: path, searchParams: query }: URL, body: string): Answer | undefined {
    try {
      const uuid = /^\/api\/v1\/log\/entries\/([0-9a-f]{64}|[0-9a-f]{80})$/.exec(path)?.[1];
      if (method === "POST" && path === "/api/v1/log/entries") return create(path, body);
      if (method === "POST" && path === "/api/v1/log/entries/retrieve") return { status: 200, body: retrieved(parsed(body)) };
      if (method === "POST" && path === "/api/v1/index/retrieve") return { status: 200, body: searched(parsed(body)) };
      if (method === "GET" && uuid) return { status: 200, body: told(leafNamed(uuid)) };
      if (method === "GET" && path === "/api/v1/log/entries")
        return { status: 200, body: told(leaves[wholeNumber(query.get("logIndex"))]) };
      if (method === "GET" && path.startsWith("/api/v1/log/entries/")) throw new Refused(422, "entryUUID in path should match its pattern");
      if (method === "GET" && path === "/api/v1/log") return { status: 200, body: logInfo() };
      if (method === "GET" && path === "/api/v1/log/proof") return { status: 200, body: consistency(query) };
      if (method === "GET" && path === "/api/v1/log/publicKey") return publicKey(query.get("treeID"));
      throw new Refused(404, "path not found");
    } catch (error) {
      const status = error instanceof Refused ? error.status : error instanceof Unacceptable ? 400 : 500;
      const message = status === 500 ? "internal error" : `error processing entry: ${(error as Error).message}`;
      return { status, body: { code: status, message } };
    }
  }

  function create(path: string, text: string): Answer | undefined {
    const kept = judged(text);
    const uuid = `${treeHex(active)}${hexOf(kept)}`;
    if (byUuid.has(uuid) || self.mood === "lost") return conflict(path, uuid);
    const leaf = appended(kept);
    if (self.mood === "stalls") return undefined;
    if (self.mood === "garbage") return { status: 201, body: "<html>welcome to the gateway</html>" };
    const body = told(self.mood === "other-entry" ? (leaves[leaf.logIndex - 1] ?? leaf) : leaf);
    return { status: 201, body, headers: { location: `${path}/${leaf.uuid}`, etag: leaf.uuid } };
  }

  function conflict(path: string, uuid: string): Answer {
    const message = `an equivalent entry already exists in the transparency log with UUID ${uuid}`;
    const headers = self.mood === "no-location" ? {} : { location: `${path}/${uuid}` };
    return { status: 409, body: { code: 409, message }, headers };
  }

  function appended(kept: Kept): Leaf {
    const place = active.tree.append(leafHash(Buffer.from(kept.body)));
    const leaf = {
      ...kept,
      uuid: `${treeHex(active)}${hexOf(kept)}`,
      shard: active,
      place,
      logIndex: leaves.length,
      integratedTime: Math.floor(now() / 1000),
    };
    leaves.push(leaf);
    // The whole name, and the leaf's hash alone: the newest tree is searched first.
    for (const name of [leaf.uuid, leaf.uuid.slice(16)]) byUuid.set(name, leaf);
    return leaf;
  }

  function leafNamed(uuid: string): Leaf | undefined {
    return self.mood === "lost" ? undefined : byUuid.get(uuid);
  }

  /** An entry as it is answered, with a proof in the tree as it stands now. */
  function told(leaf: Leaf | undefined): unknown {
    if (!leaf) throw new Refused(404, "not found");
    const { shard, place, uuid, integratedTime, logIndex } = leaf;
    const signer = self.mood === "other-log" ? stranger : shard;
    const body = Buffer.from(leaf.body).toString("base64");
    const logId = { keyId: shard.logId.toString("base64") };
    const promised = { canonicalizedBody: body, integratedTime: `${integratedTime}`, logId, logIndex: `${logIndex}` };
    const promise = self.mood === "wrong-promise" ? { ...promised, logIndex: `${logIndex + 1}` } : promised;
    const signedEntryTimestamp = sign("sha256", Buffer.from(promiseText(promise)), signer.keys.privateKey).toString("base64");
    const verification = { ...(self.mood !== "no-proof" && { inclusionProof: proofOf(shard, place, signer) }), signedEntryTimestamp };
    return { [uuid]: { body, integratedTime, logID: shard.logId.toString("hex"), logIndex, verification } };
  }

  function proofOf(shard: Shard, place: number, signer: Shard): object {
    const { tree } = shard;
    const size = self.mood === "smaller-tree" ? tree.size - 1 : tree.size;
    const hashes = tree.inclusion(place).map((hash) => Buffer.from(hash).toString("hex"));
    return {
      checkpoint: shard.checkpoint(size, signer.keys),
      hashes: self.mood === "wrong-proof" ? [...hashes, "00".repeat(32)] : hashes,
      logIndex: place,
      rootHash: Buffer.from(tree.root()).toString("hex"),
      treeSize: tree.size,
    };
  }

  function retrieved(asked: Loose): readonly unknown[] {
    // Go's clients write null for what they do not ask.
    const [entryUUIDs, logIndexes, entries] = [asked["entryUUIDs"] ?? [], asked["logIndexes"] ?? [], asked["entries"] ?? []];
    if (entryUUIDs.length + logIndexes.length + entries.length > 10) throw new Refused(422, "more than max allowed 10 entries in request");
    const found = [
      ...(entryUUIDs as readonly string[]).map(leafNamed),
      ...(entries as readonly unknown[]).map((proposal) => leafNamed(hexOf(keptOf(proposal)))),
      ...(logIndexes as readonly number[]).map((at) => leaves[at]),
    ];
    return found.flatMap((leaf) => (leaf ? [told(leaf)] : []));
  }

  function searched(query: Loose): readonly string[] {
    if (!index) throw new Refused(501, "Search Index API not enabled in this Rekor instance");
    const fits = termsOf(query);
    return leaves.filter((leaf) => fits(leaf.index)).map(({ uuid }) => uuid);
  }

  function logInfo(): object {
    const inactive = shards.filter((shard) => shard !== active).map(infoOf);
    return { ...infoOf(active), inactiveShards: inactive.length > 0 ? inactive : null };
  }

  function consistency(query: URLSearchParams): object {
    const sizes = [query.get("firstSize") ?? "1", query.get("lastSize")] as const;
    return consistencyOf(shardNamed(query.get("treeID")), wholeNumber(sizes[0]), wholeNumber(sizes[1]));
  }

  function publicKey(treeId: string | null): Answer {
    return { status: 200, body: pemOf(shardNamed(treeId)), headers: { "content-type": "application/x-pem-file" } };
  }

  function shardNamed(treeId: string | null): Shard {
    const shard = treeId ? shards.find((one) => `${one.treeId}` === treeId) : active;
    if (!shard) throw new Refused(400, "no such tree");
    return shard;
  }
}

const hexOf = ({ body }: Kept): string => Buffer.from(leafHash(Buffer.from(body))).toString("hex");
