import { leafHash, sha256 } from "@countersign/bundle";
import { type Attestation, type Call, CountersignError, type LogEntry, type Payload } from "@countersign/core";
import type { Log, Signed } from "./log.ts";
import { isAbout, loggedIn, signatureIn } from "./logged.ts";
import { proposalFor } from "./proposal.ts";
import { refusalHint } from "./refusal-hint.ts";
import { searchIndex } from "./search-index.ts";
import { type Answer, garbled, jsonIn, type Server } from "./server.ts";

export interface RekorV1Options {
  readonly server: Server;
  /** As configured: it is what addresses are made of. */
  readonly url: string;
  readonly entryKind: "dsse" | "intoto";
  readonly now: () => number;
}

const entriesPath = "/api/v1/log/entries";
/** Rekor's own limit for one question. */
const atOnce = 10;

/** Rekor's API version 1. */
export function rekorV1({ server, url, entryKind, now }: RekorV1Options): Log {
  const namesOf = searchIndex({ server, now });
  return {
    makes: (kindVersion) => ["dsse 0.0.1", "intoto 0.0.2", "hashedrekord 0.0.1"].includes(kindVersion),
    urlOf: ({ logIndex }) => `${url}${entriesPath}?logIndex=${logIndex}`,
    submit,
    completed,
    search,
    lookUp,
  };

  async function submit(attestation: Attestation, call: Call): Promise<LogEntry> {
    const body = JSON.stringify(proposalFor(attestation, entryKind));
    const answer = await server.ask({ method: "POST", path: entriesPath, body }, call);
    if (answer.status === 201 || answer.status === 200) return entryFrom(answer);
    if (answer.status === 409) return there(answer, call);
    throw server.refusal(answer, refusalHint(answer.status, attestation.signature, "v1"));
  }

  /** "Already there" is as good as "taken" once the entry is seen. The address is believed as far as its last part, which names a leaf. */
  async function there(conflict: Answer, call: Call): Promise<LogEntry> {
    const uuid = /\/([0-9a-f]{64}|[0-9a-f]{80})$/i.exec(conflict.headers["location"] ?? "")?.[1] ?? uuidIn(conflict);
    if (!uuid) throw garbled(conflict);
    const answer = await server.ask({ path: `${entriesPath}/${uuid}` }, call);
    if (answer.status === 200) return entryFrom(answer, uuid);
    const sentence = `${conflict.what} answered 409, and ${answer.what} answered ${answer.status}: the log does not show the entry that it holds; it is asked again later`;
    throw new CountersignError("witness.entry-missing", sentence, { retry: "wait" });
  }

  async function completed({ logIndex }: LogEntry, call: Call): Promise<LogEntry | undefined> {
    const answer = await server.ask({ path: `${entriesPath}?logIndex=${logIndex}` }, call);
    return answer.status === 200 ? entryFrom(answer) : undefined;
  }

  async function search(payload: Payload, call: Call): ReturnType<NonNullable<Log["search"]>> {
    const digest = sha256(payload.body);
    const uuids = await namesOf(digest, call);
    const entries: LogEntry[] = [];
    for (let at = 0; at < uuids.length; at += atOnce) entries.push(...(await named(uuids.slice(at, at + atOnce), call)));
    return entries.flatMap((entry) => {
      const logged = loggedIn(entry);
      // The index also names statements that only speak of this digest.
      return logged?.digest === digest ? [{ entry, signature: signatureIn(logged) }] : [];
    });
  }

  async function named(entryUUIDs: readonly string[], call: Call): Promise<readonly LogEntry[]> {
    const answer = await retrieved({ entryUUIDs }, call);
    if (answer.status === 200) return entriesIn(answer);
    throw server.refusal(answer, "the log does not show entries that its index names");
  }

  /** The log works out itself which leaf a proposal makes, and needs no index for that. One that does not let itself be asked has none. */
  async function lookUp(attestation: Signed, call: Call): Promise<LogEntry | undefined> {
    const answer = await retrieved({ entries: [proposalFor(attestation, entryKind)] }, call);
    if ([404, 405, 501].includes(answer.status)) return undefined;
    if (answer.status === 200) return entriesIn(answer).find((entry) => isAbout(entry, attestation));
    throw server.refusal(answer, refusalHint(answer.status, attestation.signature, "v1"));
  }

  function retrieved(query: object, call: Call): Promise<Answer> {
    return server.ask({ method: "POST", path: `${entriesPath}/retrieve`, body: JSON.stringify(query) }, call);
  }
}

function entriesIn(answer: Answer): readonly LogEntry[] {
  const list = jsonIn(answer);
  if (!Array.isArray(list)) throw garbled(answer);
  return list.flatMap((one) => logEntryIn(one) ?? []);
}

function entryFrom(answer: Answer, uuid?: string): LogEntry {
  const entry = logEntryIn(jsonIn(answer), uuid);
  if (entry) return entry;
  throw garbled(answer);
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; every value is checked where it is used
type Loose = Readonly<Record<string, any>>;

/** Rekor answers {uuid: entry}; the uuid ends in the leaf's hash, so that an entry cannot come under another's name. */
function logEntryIn(value: unknown, asked?: string): LogEntry | undefined {
  try {
    const [[uuid, said] = ["", {}], ...others] = Object.entries(value as Loose) as [string, Loose][];
    const { body, integratedTime, logID, logIndex, verification } = said;
    const leaf = Buffer.from(leafHash(Buffer.from(body, "base64"))).toString("hex");
    if (others.length > 0 || [uuid, asked ?? uuid].some((name) => name.toLowerCase().slice(-64) !== leaf)) return undefined;
    const { kind, apiVersion } = JSON.parse(Buffer.from(body, "base64").toString()) as Loose;
    const { signedEntryTimestamp, inclusionProof } = verification ?? {};
    return {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(logID, "hex").toString("base64") },
      kindVersion: { kind: String(kind), version: String(apiVersion) },
      integratedTime: String(integratedTime),
      ...(signedEntryTimestamp && { inclusionPromise: { signedEntryTimestamp: String(signedEntryTimestamp) } }),
      ...(inclusionProof?.checkpoint && { inclusionProof: proofFrom(inclusionProof) }),
      canonicalizedBody: body,
    };
  } catch {
    return undefined;
  }
}

/** From hex, as Rekor v1 answers, to base64, as bundles have it. */
function proofFrom({ checkpoint, hashes = [], logIndex, rootHash, treeSize }: Loose): NonNullable<LogEntry["inclusionProof"]> {
  const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
  return {
    logIndex: String(logIndex),
    rootHash: base64(rootHash),
    treeSize: String(treeSize),
    hashes: (hashes as readonly string[]).map(base64),
    checkpoint: { envelope: String(checkpoint) },
  };
}

function uuidIn(conflict: Answer): string | undefined {
  return /\b([0-9a-f]{80}|[0-9a-f]{64})\b/i.exec(Buffer.from(conflict.body).toString())?.[1];
}
