import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Key, Metadata, MetaFile, Root, Signature, Snapshot, TargetFile, Targets, Timestamp } from "@tufjs/models";

/** A TUF repository with one target, trusted_root.json, served from memory. */
export interface TufMirror {
  readonly url: string;
  /** The first root.json. */
  readonly root: string;
  /** Paths, in the order of arrival. */
  readonly seen: string[];
  /** Path to content, as served. */
  readonly files: Map<string, Buffer>;
  /** What every request is answered with from now on. */
  status: number;
  /** A new trusted_root.json, in new metadata of the next version. */
  publish(trustedRoot: string, options?: { readonly expires?: string }): void;
  /** The state of an earlier version again. */
  rollBack(version: number): void;
  /** A new root, signed by the old and the new key. */
  rotateRoot(): void;
  close(): Promise<void>;
}

export async function tufMirror(trustedRoot: string): Promise<TufMirror> {
  const files = new Map<string, Buffer>();
  const states = new Map<number, ReadonlyMap<string, Buffer>>();
  const seen: string[] = [];
  let keys = someKey();
  let [rootVersion, version] = [1, 0];
  let oldRootKeys: readonly SomeKey[] = [];

  const put = (path: string, metadata: Metadata<never>, signers: readonly SomeKey[] = [keys]): void => {
    for (const signer of signers) metadata.sign((data) => signer.signed(data), true);
    files.set(path, Buffer.from(JSON.stringify(metadata.toJSON())));
  };
  const putRoot = (): void => {
    const root = new Root({ version: rootVersion, specVersion: "1.0.31", expires: later, consistentSnapshot: true });
    for (const role of ["root", "timestamp", "snapshot", "targets"]) root.addKey(keys.key, role);
    put(`/${rootVersion}.root.json`, new Metadata(root) as Metadata<never>, [keys, ...oldRootKeys]);
    if (rootVersion === 1) files.set("/root.json", files.get("/1.root.json") ?? Buffer.alloc(0));
  };
  const publish: TufMirror["publish"] = (text, { expires = later } = {}) => {
    version += 1;
    const sha256 = createHash("sha256").update(text).digest("hex");
    const common = { version, specVersion: "1.0.31", expires };
    const targets = new Targets(common);
    targets.addTarget(new TargetFile({ path: "trusted_root.json", length: Buffer.byteLength(text), hashes: { sha256 } }));
    put(`/${version}.targets.json`, new Metadata(targets) as Metadata<never>);
    put(
      `/${version}.snapshot.json`,
      new Metadata(new Snapshot({ ...common, meta: { "targets.json": new MetaFile({ version }) } })) as Metadata<never>,
    );
    put("/timestamp.json", new Metadata(new Timestamp({ ...common, snapshotMeta: new MetaFile({ version }) })) as Metadata<never>);
    files.set(`/targets/${sha256}.trusted_root.json`, Buffer.from(text));
    states.set(version, new Map(files));
  };
  putRoot();
  publish(trustedRoot);

  const server = createServer((request, response) => {
    const path = request.url ?? "";
    seen.push(path);
    const bytes = files.get(path);
    response.writeHead(self.status !== 200 ? self.status : bytes ? 200 : 404).end(self.status === 200 ? bytes : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: TufMirror = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    root: files.get("/root.json")?.toString() ?? "",
    seen,
    files,
    status: 200,
    publish,
    rollBack(to) {
      files.set("/timestamp.json", states.get(to)?.get("/timestamp.json") ?? Buffer.alloc(0));
    },
    rotateRoot() {
      oldRootKeys = [keys];
      keys = someKey();
      rootVersion += 1;
      putRoot();
      publish(trustedRoot);
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
  return self;
}

const later = new Date(Date.now() + 30 * 86_400_000).toISOString().replace(/\.\d+/, "");

interface SomeKey {
  readonly key: Key;
  signed(data: Buffer): Signature;
}

function someKey(): SomeKey {
  const pair = generateKeyPairSync("ed25519");
  const publicKey = hexOf(pair.publicKey);
  const keyID = createHash("sha256").update(publicKey).digest("hex");
  return {
    key: new Key({ keyID, keyType: "ed25519", scheme: "ed25519", keyVal: { public: publicKey } }),
    signed: (data) => new Signature({ keyID, sig: sign(null, data, pair.privateKey).toString("hex") }),
  };
}

const hexOf = (key: KeyObject): string => Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");
