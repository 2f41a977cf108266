import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Http } from "@countersign/http";
import { type Fulcio, fulcio, type Rekor, rekor, trustedRoot } from "@countersign/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rootOf } from "./keyless.fixture.ts";
import { type TrustSourceOptions, trustSource } from "./trust-source.ts";
import { publicGoodMirror, type TufOptions } from "./tuf.ts";
import { type TufMirror, tufMirror } from "./tuf-mirror.fixture.ts";

let [ca, log]: [Fulcio, Rekor] = [] as never;
/** Two roots that differ: with and without the log. */
let [withLog, withoutLog] = ["", ""];
let mirror: TufMirror;
let folder = "";
const call = { signal: new AbortController().signal };

beforeAll(async () => {
  [ca, log] = await Promise.all([fulcio(), rekor()]);
  withLog = rootOf(ca, log);
  withoutLog = trustedRoot({ certificateAuthorities: [{ url: ca.url, certificates: ca.certificates }], ctLogs: ca.ctLogs });
});
afterAll(() => Promise.all([ca.close(), log.close()]));
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "countersign-trust-"));
  mirror = await tufMirror(withLog);
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await mirror.close();
});
const logsIn = async (source: ReturnType<typeof trustSource>, fresh = false) => (await source({ ...call, fresh }))?.logs.length;

/** No socket is opened while this is held. */
function noSockets(): Disposable & { readonly opened: number } {
  const { connect } = Socket.prototype;
  let opened = 0;
  Socket.prototype.connect = function trapped(this: Socket, ...args: unknown[]) {
    opened += 1;
    return (connect as (...all: unknown[]) => Socket).apply(this, args);
  } as typeof connect;
  return {
    get opened() {
      return opened;
    },
    [Symbol.dispose]: () => {
      Socket.prototype.connect = connect;
    },
  };
}

describe("text and file", () => {
  test("nothing configured is nothing trusted", async () => {
    expect(await trustSource({})(call)).toBeUndefined();
  });

  test("a file is read again when it changes, and nothing else is contacted", async () => {
    using trap = noSockets();
    const file = join(folder, "trusted_root.json");
    const source = trustSource({ file, tuf: { mirror: mirror.url } });
    await expect(source(call)).rejects.toMatchObject({
      code: "config.trust-root",
      retry: "hold",
      message: expect.stringContaining("ENOENT"),
    });
    writeFileSync(file, withLog);
    expect(await logsIn(source)).toBe(1);
    writeFileSync(file, withoutLog);
    utimesSync(file, 1, 1);
    expect(await logsIn(source)).toBe(0);
    writeFileSync(file, "{}");
    await expect(source(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
    expect(await logsIn(trustSource({ text: withLog, file }))).toBe(1);
    expect(trap.opened).toBe(0);
  });

  test.each([
    "",
    "null",
    "[]",
    '{"mediaType":"x"}',
    '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"logId":{"keyId":"AA=="}}]}',
  ])("%j is no trusted root", async (text) => {
    await expect(trustSource({ text })(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
  });
});

test("the root of sigstore's public instance, as a release of @sigstore/tuf holds it, is read whole", async () => {
  const seeds = createRequire(import.meta.url)("@sigstore/tuf/seeds.json");
  const text = Buffer.from(seeds[publicGoodMirror].targets["trusted_root.json"], "base64").toString();
  const root = await trustSource({ text })(call);
  const { tlogs, ctlogs, certificateAuthorities, timestampAuthorities } = JSON.parse(text);
  expect(root?.logs.map(({ url, keyId }) => [url, keyId])).toEqual(
    tlogs.map(({ baseUrl, logId }: { baseUrl: string; logId: { keyId: string } }) => [baseUrl, logId.keyId]),
  );
  expect(root?.logs[0]).toMatchObject({ url: "https://rekor.sigstore.dev", validFor: { start: "2021-01-12T11:53:27.000Z" } });
  expect(root?.ctLogs).toHaveLength(ctlogs.length);
  expect(root?.certificateAuthorities).toHaveLength(certificateAuthorities.length);
  expect(root?.timestampAuthorities).toHaveLength(timestampAuthorities?.length ?? 0);
});

describe("a TUF repository", () => {
  let clock = 0;
  const source = (tuf: TufOptions = {}, more: Partial<TrustSourceOptions> = {}) =>
    trustSource({ tuf: { mirror: mirror.url, root: mirror.root, ...tuf }, now: () => clock, ...more });

  test("nothing is fetched before the first call; then once, for whoever asks at once", async () => {
    const ours = source();
    expect(mirror.seen).toEqual([]);
    expect(await Promise.all([logsIn(ours), logsIn(ours), logsIn(ours)])).toEqual([1, 1, 1]);
    const targets = mirror.seen.filter((path) => path.startsWith("/targets/"));
    expect(targets).toHaveLength(1);
    expect(mirror.seen.at(0)).toBe("/2.root.json");
  });

  test("a newer root after an hour, or after a minute when somebody needs one", async () => {
    const ours = source();
    expect(await logsIn(ours)).toBe(1);
    mirror.publish(withoutLog);
    clock += 59 * 60_000;
    expect(await logsIn(ours)).toBe(1);
    clock += 60_000;
    expect(await logsIn(ours)).toBe(0);
    mirror.publish(withLog);
    clock += 59_000;
    expect(await logsIn(ours, true)).toBe(0);
    clock += 1_000;
    expect(await logsIn(ours, true)).toBe(1);
  });

  test("a chain of roots is followed", async () => {
    mirror.rotateRoot();
    mirror.rotateRoot();
    expect(await logsIn(source())).toBe(1);
    expect(mirror.seen).toContain("/4.root.json");
  });

  test("without a root of ours, the mirror's own is where trust begins", async () => {
    expect(await logsIn(trustSource({ tuf: { mirror: `${mirror.url}/` } }))).toBe(1);
    expect(mirror.seen.at(0)).toBe("/root.json");
  });

  test("for sigstore's own repository, trust begins with the root that is shipped, through the connection that was lent", async () => {
    const asked: string[] = [];
    const wire: Http = {
      request: async ({ url }) => {
        asked.push(String(url));
        return { status: 503, headers: {}, body: new Uint8Array() };
      },
      stream: () => Promise.reject(new Error("not needed")),
      close: async () => undefined,
    };
    using trap = noSockets();
    await expect(trustSource({ tuf: {}, http: wire })(call)).rejects.toMatchObject({ retry: "wait" });
    expect(asked).toEqual([expect.stringMatching(/^https:\/\/tuf-repo-cdn[.]sigstore[.]dev\/[1-9][0-9]+[.]root[.]json$/)]);
    expect(trap.opened).toBe(0);
  });

  test("a root of strangers is refused, and so is what strangers sign", async () => {
    const stranger = await tufMirror(withoutLog);
    await expect(source({ root: stranger.root })(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
    for (const [path, bytes] of stranger.files) if (!path.includes("root.json")) mirror.files.set(path, bytes);
    await expect(source()(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
    await stranger.close();
  });

  test("a target that is not what was signed for, and metadata that have expired", async () => {
    const target = [...mirror.files.keys()].find((path) => path.startsWith("/targets/")) ?? "";
    mirror.files.set(target, Buffer.from(withoutLog));
    await expect(source()(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
    mirror.publish(withLog, { expires: "2020-01-01T00:00:00Z" });
    await expect(source()(call)).rejects.toMatchObject({ message: expect.stringContaining("expired"), retry: "hold" });
  });

  test("an older state is refused by whoever saw the newer one, in memory and out of the cache", async () => {
    mirror.publish(withoutLog);
    const ours = source({ cacheFolder: folder });
    expect(await logsIn(ours)).toBe(0);
    mirror.rollBack(1);
    await expect(source({ cacheFolder: folder })(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "hold" });
    clock += 3_600_000;
    expect(await logsIn(ours)).toBe(0);
    clock += 24 * 3_600_000;
    await expect(ours(call)).rejects.toMatchObject({ code: "config.trust-root" });
    expect(await logsIn(source())).toBe(1);
  });

  test("a mirror that is down: wait, unless a root of today is held; never longer than the caller", async () => {
    const ours = source();
    expect(await logsIn(ours)).toBe(1);
    mirror.status = 500;
    clock += 3_600_000;
    expect(await logsIn(ours)).toBe(1);
    clock += 24 * 3_600_000;
    await expect(ours(call)).rejects.toMatchObject({
      code: "config.trust-root",
      retry: "wait",
      message: expect.stringContaining("the mirror answered 500"),
    });
    const gone = trustSource({ tuf: { mirror: "http://127.0.0.1:1", root: mirror.root } });
    await expect(gone(call)).rejects.toMatchObject({ code: "config.trust-root", retry: "wait" });
    const stop = new AbortController();
    const waiting = source()({ signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  describe("the cache is nobody's word", () => {
    const shelf = () => join(folder, readdirSync(folder)[0] ?? "");

    test("what holds is not fetched again, and nothing else is left behind", async () => {
      await source({ cacheFolder: folder })(call);
      expect(readdirSync(folder)).toEqual([encodeURIComponent(new URL(mirror.url).host)]);
      expect(readdirSync(shelf()).sort()).toEqual(["snapshot.json", "targets", "targets.json", "timestamp.json"]);
      mirror.seen.length = 0;
      expect(await logsIn(source({ cacheFolder: folder }))).toBe(1);
      expect(mirror.seen).toEqual(["/2.root.json", "/timestamp.json"]);
    });

    test("garbage, half a file and a stranger's whole repository cost requests, not trust", async () => {
      await source({ cacheFolder: folder })(call);
      const stranger = await tufMirror(withoutLog);
      const theirs = join(folder, "theirs");
      await trustSource({ tuf: { mirror: stranger.url, root: stranger.root, cacheFolder: theirs } })(call);
      const strange = join(theirs, readdirSync(theirs)[0] ?? "");
      for (const name of ["timestamp.json", "snapshot.json", "targets.json", "targets/trusted_root.json"]) {
        for (const text of ["", "{", withoutLog]) {
          writeFileSync(join(shelf(), name), text);
          expect(await logsIn(source({ cacheFolder: folder })), `${name} ${text}`).toBe(1);
        }
      }
      rmSync(shelf(), { recursive: true });
      const { cpSync } = await import("node:fs");
      cpSync(strange, join(folder, encodeURIComponent(new URL(mirror.url).host)), { recursive: true });
      writeFileSync(join(shelf(), "root.json"), stranger.root);
      rmSync(theirs, { recursive: true });
      expect(await logsIn(source({ cacheFolder: folder }))).toBe(1);
      await stranger.close();
    });

    test("twenty at once, and a folder that cannot be", async () => {
      const all = Array.from({ length: 20 }, () => logsIn(source({ cacheFolder: folder })));
      expect(new Set(await Promise.all(all))).toEqual(new Set([1]));
      const blocked = join(folder, "file");
      writeFileSync(blocked, "");
      expect(await logsIn(source({ cacheFolder: join(blocked, "cache") }))).toBe(1);
      expect(existsSync(join(blocked, "cache"))).toBe(false);
    });
  });
});
