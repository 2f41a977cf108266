/**
 * One of several processes that attach to one image at the same time. Argument: a JSON object, see StormOrders. Says "ready", waits for a
 * line on its input, attaches, and prints what it saw as one JSON line.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@countersign/bundle";
import { type Attestation, type Payload, retryOf } from "@countersign/core";
import { http } from "@countersign/http";
import { inTotoPayloadType } from "@countersign/in-toto-attestation";
import { ociStorage } from "@countersign/storage-oci";
import { fakeSigner } from "@countersign/testing";

export interface StormOrders {
  readonly repository: string;
  /** Of the image, hex. */
  readonly sha256: string;
  readonly layout: "tags" | "bundles";
  /** What to attach: each name is one attestation. */
  readonly names: readonly string[];
  /** They come at random within this time (milliseconds). */
  readonly spreadMs: number;
}

export interface StormReport {
  /** sha256 of each payload that store() said is stored. */
  readonly stored: readonly string[];
  readonly failures: readonly string[];
  /** How often another writer was found to have written in between. */
  readonly moved: number;
  /** How often that had taken ours away. */
  readonly lost: number;
  /** How often store() gave up for the time being. */
  readonly again: number;
}

const { repository, sha256, layout, names, spreadMs } = JSON.parse(process.argv[2] ?? "{}") as StormOrders;
const signal = AbortSignal.timeout(120_000);
const signer = fakeSigner();

async function attested(name: string): Promise<Attestation> {
  const predicateType = "https://slsa.dev/provenance/v1";
  const subjects = [{ name: repository, digest: { sha256 } }];
  const body = Buffer.from(JSON.stringify({ predicateType, subject: subjects, predicate: { name } }));
  const payload: Payload = { format: "slsa/v2alpha4", envelope: "dsse", mediaType: inTotoPayloadType, predicateType, body, subjects };
  const run = { kind: "TaskRun", namespace: "ci", name, uid: name } as const;
  const artifact = { kind: "taskrun", run, serviceAccount: "default", shortKey: name, fullKey: name } as const;
  return { artifact, payload, signature: await signer.sign(messageOf(payload), { signal }), evidence: [] };
}

const met = { moved: 0, lost: 0, again: 0 };
const wire = http({ env: {} });
const storage = ociStorage({
  http: wire,
  credentials: async () => [],
  layout,
  onContention: (_, what) => {
    met[what] += 1;
  },
});
const all = await Promise.all(names.map(attested));
process.stdout.write("ready\n");
await once(process.stdin, "data");
const stored: string[] = [];
const failures: string[] = [];
await Promise.all(
  all.map(async (attestation) => {
    await sleep(Math.random() * spreadMs);
    // What passes by itself is tried again, as the controller does: three processes and two registries may be too much for a machine.
    for (let tries = 1; ; tries += 1) {
      try {
        await storage.store(attestation, { signal });
        return void stored.push(createHash("sha256").update(attestation.payload.body).digest("hex"));
      } catch (error) {
        if (retryOf(error) !== "wait" || tries === 3) return void failures.push(`${error}`);
        met.again += 1;
      }
    }
  }),
);
await wire.close();
process.stdout.write(`${JSON.stringify({ stored, failures, ...met } satisfies StormReport)}\n`);
process.stdin.destroy();
