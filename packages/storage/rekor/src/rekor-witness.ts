import { sha256 } from "@countersign/bundle";
import {
  type Attestation,
  type Call,
  CountersignError,
  type Evidence,
  type Found,
  type LogEntry,
  type Payload,
  type Signature,
  type TrustedKey,
  type TrustSource,
  type Witness,
} from "@countersign/core";
import type { Log, Seen } from "./log.ts";
import { logKeys } from "./log-keys.ts";
import { isAbout } from "./logged.ts";
import { rekorV1 } from "./rekor-v1.ts";
import { rekorV2 } from "./rekor-v2.ts";
import { type ServerOptions, serverAt, theLog } from "./server.ts";
import { noKeyShown, shownKey } from "./shown-key.ts";

export interface RekorOptions extends ServerOptions {
  /** Default "v1". */
  readonly version?: "v1" | "v2";
  /** What a v1 log keeps of an envelope. Default "dsse". */
  readonly entryKind?: "dsse" | "intoto";
  /** Whose entries are believed. Default: those of the key that the log itself shows, as Tekton Chains has it; v2 logs show none. */
  readonly trust?: TrustSource<{ readonly logs: readonly TrustedKey[] }>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A transparency log sees each signature once: its word is the entry, verified before it is believed. */
export function rekorWitness(options: RekorOptions): Witness {
  const { url, version = "v1", entryKind = "dsse", trust, now = Date.now } = options;
  const server = serverAt(options, theLog);
  const shown = version === "v1" ? (call: Call) => shownKey(server, call) : noKeyShown;
  const keys = logKeys({ trust, shown, now });
  const log: Log = version === "v1" ? rekorV1({ server, url, entryKind, now }) : rekorV2({ server, url, keys });
  return { name: "rekor", lasting: true, testify, ...((log.search || log.lookUp) && { find }) };

  async function testify(attestation: Attestation, call: Call): Promise<Evidence> {
    call.signal.throwIfAborted();
    server.base();
    const known = await knownWord(attestation, call);
    if (known) return known;
    const entry = await log.submit(attestation, call);
    if (!isAbout(entry, attestation)) throw unsound("it is about something else");
    const fault = await keys.fault(entry, call);
    if (fault) throw unsound(fault);
    return wordOf(entry);
  }

  /** What the log said once it need not be asked again. A tag keeps only the promise: the proof is fetched. */
  async function knownWord(attestation: Attestation, call: Call): Promise<Evidence | undefined> {
    for (const word of attestation.evidence) {
      if (word.kind !== "log-entry" || !(await isSound(word.entry, attestation, call, true))) continue;
      if (word.entry.inclusionProof) return { ...wordOf(word.entry), ...word };
      const entry = await log.completed?.(word.entry, call);
      if (entry && (await isSound(entry, attestation, call, false))) return wordOf(entry);
    }
    return undefined;
  }

  async function isSound(entry: LogEntry, attestation: Attestation, call: Call, promiseSuffices: boolean): Promise<boolean> {
    const { kind, version } = entry.kindVersion;
    return log.makes(`${kind} ${version}`) && isAbout(entry, attestation) && !(await keys.fault(entry, call, { promiseSuffices }));
  }

  /** Entries that cannot be verified are nobody's word; whether a signature is ours the signer says. */
  async function find(payload: Payload, call: Call, shown?: readonly Signature[]): Promise<readonly Found[]> {
    call.signal.throwIfAborted();
    const seen = shown ? await lookedUp(payload, shown, call) : ((await log.search?.(payload, call)) ?? []);
    const digest = sha256(payload.body);
    const sound: Found[] = [];
    for (const { entry, signature } of seen)
      if (!(await keys.fault(entry, call))) sound.push({ digest, signature, evidence: [wordOf(entry)] });
    return sound;
  }

  async function lookedUp(payload: Payload, shown: readonly Signature[], call: Call): Promise<readonly Seen[]> {
    const seen: Seen[] = [];
    for (const signature of shown) {
      const entry = await log.lookUp?.({ payload, signature }, call);
      if (entry) seen.push({ entry, signature });
    }
    return seen;
  }

  function wordOf(entry: LogEntry): Evidence {
    return { kind: "log-entry", entry, url: log.urlOf(entry) };
  }

  /** The log may be broken, or somebody may stand in for it: nothing is stored on its word, and it is asked again. */
  function unsound(fault: string): CountersignError {
    const sentence = `${server.base()} answered an entry that is not to be believed: ${fault}; see the log, and whether the trust root knows its key`;
    return new CountersignError("witness.entry-unsound", sentence, { retry: "wait" });
  }
}
