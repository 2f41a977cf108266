import { logEntriesIn } from "@countersign/bundle";
import type { Found } from "@countersign/core";
import type { Http } from "@countersign/http";
import { type Policy, type Verdict, verify } from "@countersign/verify";
import type { Believed } from "./believed.ts";
import { type Attachment, logEntriesFor } from "./log-lookup.ts";

export interface Judged {
  readonly verdict: Verdict;
  /** With the entries that a log added. */
  readonly found: Found;
}

/** The verdict over one attachment. Where nothing but a log entry is missing, the logs are asked for it, and then it is judged again. */
export async function judged(
  attachment: Attachment,
  policy: Policy,
  believed: Believed,
  wire: () => Http,
  signal: AbortSignal,
): Promise<Judged> {
  const { found, payload, envelopeText } = attachment;
  const more = envelopeText === undefined ? {} : { envelope: Buffer.from(envelopeText) };
  const wanted = { ...believed.policy, ...policy };
  const verdict = verify(found, payload, believed.trust, wanted, more);
  const isMissing = logEntriesIn(found.evidence).length === 0 && verdict.reasons.some(({ check }) => check === "log-entry");
  const isElse = verdict.reasons.some(({ check }) => check !== "log-entry" && check !== "timestamp");
  if (!isMissing || isElse) return { verdict, found };
  const { certificate } = found.signature;
  const { publicKeys, timedKeys = [] } = believed.trust;
  const signers = certificate === undefined ? [...publicKeys, ...timedKeys.map(({ publicKey }) => publicKey)] : [certificate];
  for (const url of believed.logs) {
    const evidence = await logEntriesFor(attachment, signers, url, wire(), signal);
    if (evidence.length === 0) continue;
    const logged = { ...found, evidence: [...found.evidence, ...evidence] };
    return { verdict: verify(logged, payload, believed.trust, wanted, more), found: logged };
  }
  return { verdict, found };
}
