import { createHash, createPublicKey } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foundInBundle, foundInLayer, logEntriesIn, logEntryFault } from "@countersign/bundle";
import type { Attestation, LogEntry, TrustedKey } from "@countersign/core";
import type { Http, HttpRequest, HttpResponse } from "@countersign/http";
import { rekorWitness } from "@countersign/storage-rekor";
import { anAttestation } from "@countersign/testing";
import { trustedRootFrom } from "@countersign/verify";
import { describe, expect, test } from "vitest";

/** What Tekton Chains asked a Rekor, what that answered, and what cosign and Chains kept of it: we ask the same, and believe the same. */
const golden = join(import.meta.dirname, "../../../shared/golden/oci");
const present = existsSync(golden);
const call = { signal: AbortSignal.timeout(60_000) };
const read = (path: string): string => readFileSync(join(golden, path), "utf8");

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly body?: string;
  readonly respHeaders?: Readonly<Record<string, string>>;
  readonly resp?: string;
}
const recorded = (name: string): readonly Recorded[] => JSON.parse(read(`http/${name}.json`));

/** Answers as it was recorded, in that order, and keeps what was asked. */
function replay(answers: readonly Recorded[]): Pick<Http, "request"> & { readonly asked: HttpRequest[] } {
  const left = [...answers];
  const asked: HttpRequest[] = [];
  return {
    asked,
    async request(request): Promise<HttpResponse> {
      asked.push(request);
      const answer = left.shift();
      if (!answer) throw new Error("more requests than recorded");
      const headers = Object.fromEntries(Object.entries(answer.respHeaders ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
      return { status: answer.status, headers, body: Buffer.from(answer.resp ?? "") };
    },
  };
}

/** The attestation inside a recorded proposal. A hash says nothing of its payload: there the recorded hash is compared instead. */
async function proposed(text: string): Promise<Attestation> {
  const { kind, spec } = JSON.parse(text);
  const some = await anAttestation({ envelope: kind === "dsse" ? "dsse" : "none" });
  if (kind !== "dsse") throw new TypeError("no statement");
  const { payload, signatures } = JSON.parse(spec.proposedContent.envelope);
  return {
    ...some,
    payload: { ...some.payload, body: Buffer.from(payload, "base64") },
    signature: {
      bytes: Buffer.from(signatures[0].sig, "base64"),
      algorithm: "ecdsa-sha256",
      publicKey: Buffer.from(spec.proposedContent.verifiers[0], "base64").toString(),
    },
  };
}

const parts = (url: URL | string): string => `${new URL(url).pathname}${new URL(url).search}`;

describe.skipIf(!present)(`Rekor as recorded${present ? "" : " — skipped: no ../shared/golden beside the repository"}`, () => {
  const publicKey = present ? read("keys/rekor.pub") : "";
  const keyId =
    present &&
    createHash("sha256")
      .update(createPublicKey(publicKey).export({ type: "spki", format: "der" }))
      .digest("base64");
  const keys: readonly TrustedKey[] = [{ keyId: keyId || "", publicKey, url: "http://127.0.0.1:1" }];
  const trust = async () => ({ logs: keys });

  test("a statement: the same proposal, and the answer is believed", async () => {
    const [create] = recorded("rekor-create-entries").filter(({ body }) => body?.includes('"kind":"dsse"'));
    const wire = replay(create ? [create] : []);
    const attestation = await proposed(create?.body ?? "");
    const word = await rekorWitness({ url: "http://rekor.test", http: wire, trust }).testify(attestation, call);
    expect(wire.asked.map(({ method, url }) => [method, parts(url)])).toEqual([["POST", "/api/v1/log/entries"]]);
    expect(JSON.parse(`${wire.asked[0]?.body}`)).toEqual(JSON.parse(create?.body ?? ""));
    const [said] = Object.values(JSON.parse(create?.resp ?? "")) as [{ readonly logIndex: number; readonly body: string }];
    expect(word).toMatchObject({
      url: `http://rekor.test/api/v1/log/entries?logIndex=${said.logIndex}`,
      entry: { logIndex: `${said.logIndex}`, canonicalizedBody: said.body },
    });
  });

  test("an image signature: the same proposal but for what is signed", async () => {
    const [create] = recorded("rekor-create-entries").filter(({ body }) => body?.includes('"kind":"hashedrekord"'));
    const attestation = await anAttestation({ envelope: "none" });
    const { spec } = JSON.parse(create?.body ?? "");
    const signature = {
      bytes: Buffer.from(spec.signature.content, "base64"),
      algorithm: "ecdsa-sha256" as const,
      publicKey: Buffer.from(spec.signature.publicKey.content, "base64").toString(),
    };
    const wire = replay(create ? [create] : []);
    const work = rekorWitness({ url: "http://rekor.test", http: wire, trust }).testify({ ...attestation, signature }, call);
    // The recorded answer is about the recorded payload, which nobody recorded.
    await expect(work).rejects.toMatchObject({ code: "witness.entry-unsound" });
    const value = createHash("sha256").update(attestation.payload.body).digest("hex");
    const expected = { ...JSON.parse(create?.body ?? ""), spec: { ...spec, data: { hash: { algorithm: "sha256", value } } } };
    expect(JSON.parse(`${wire.asked[0]?.body}`)).toEqual(expected);
  });

  test("a conflict: the same requests, and the entry that was there", async () => {
    const all = recorded("rekor-409-conflict").filter(({ body, method }) => method === "GET" || body?.includes('"kind":"dsse"'));
    const at = all.findIndex(({ status }) => status === 409);
    const [conflict, entry, key] = all.slice(at, at + 3);
    if (!conflict || !entry || !key) throw new Error("recorded otherwise");
    const attestation = await proposed(conflict.body ?? "");
    // This recording was made with an RSA key.
    const signed = { ...attestation, signature: { ...attestation.signature, algorithm: "rsa-pkcs1-sha256" as const } };
    const wire = replay([conflict, entry, key]);
    const word = await rekorWitness({ url: "http://rekor.test", http: wire }).testify(signed, call);
    expect(wire.asked.map(({ method = "GET", url }) => [method, parts(url)])).toEqual(
      [conflict, entry, key].map(({ method, url }) => [method, url]),
    );
    expect(word).toMatchObject({ kind: "log-entry", entry: { kindVersion: { kind: "dsse" } } });
  });

  const bundles = globSync("{chains,cosign-3.1.1,handmade}/**/*bundle.json", { cwd: golden }).filter((path) =>
    read(path).includes("tlogEntries"),
  );
  test.each(bundles)("%s: its log entry is sound, and not under another key", (path) => {
    const entries = logEntriesIn(foundInBundle(read(path))?.found.evidence ?? []);
    expect(entries).toHaveLength(1);
    for (const entry of entries) sound(entry, {});
  });

  const layers = globSync("{chains,cosign-3.1.1,handmade}/**/*layer*.bundle-annotation.json", { cwd: golden });
  test.each(layers)("%s: its log's promise is sound, and not under another key", (path) => {
    const annotations = { "dev.sigstore.cosign/bundle": read(path), "dev.cosignproject.cosign/signature": "AAAA" };
    const entries = logEntriesIn(foundInLayer({ mediaType: "", bytes: Buffer.from("{}"), annotations })?.evidence ?? []);
    expect(entries).toHaveLength(1);
    for (const entry of entries) sound(entry, { promiseSuffices: true });
  });

  test("there is something to judge", () => {
    expect([bundles.length, layers.length].every((count) => count >= 2)).toBe(true);
  });

  test("cosign's trusted root names the same key", () => {
    expect(trustedRootFrom(read("keys/trusted-root-rekor.json")).logs).toMatchObject([{ keyId, publicKey }]);
  });

  function sound(entry: LogEntry, rules: { promiseSuffices?: boolean }): void {
    expect(logEntryFault(entry, keys, rules)).toBeUndefined();
    const other = createPublicKey(read("keys/cosign.pub")).export({ type: "spki", format: "pem" }).toString();
    expect(logEntryFault(entry, [{ keyId: entry.logId.keyId, publicKey: other, url: "" }], rules)).toMatch(/promise/);
    expect(logEntryFault({ ...entry, logIndex: `${Number(entry.logIndex) + 1}` }, keys, rules)).toMatch(/promise/);
  }
});
