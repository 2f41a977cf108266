import { logEntriesIn, timestampsIn } from "@countersign/bundle";
import type { Found } from "@countersign/core";
import { type CertificateHolder, certificateHolder, claimedTime } from "@countersign/verify";

/** What a signature brought along, as it says itself; to be believed only when it is accepted. */
export interface Facts {
  readonly certificate?: CertificateHolder;
  readonly log?: readonly LogFact[];
  /** RFC 3339. */
  readonly timestamps?: readonly string[];
}

export interface LogFact {
  readonly index: string;
  /** RFC 3339; absent where the log names no time. */
  readonly time?: string;
}

export function factsOf({ signature, evidence }: Pick<Found, "signature" | "evidence">): Facts {
  const certificate = signature.certificate === undefined ? undefined : certificateHolder(signature.certificate);
  const log = logEntriesIn(evidence).map(({ logIndex: index, integratedTime }) => ({ index, ...timeFrom(integratedTime) }));
  const timestamps = timestampsIn(evidence).map((token) => claimedTime(token) ?? "unreadable");
  return { ...(certificate && { certificate }), ...(log.length > 0 && { log }), ...(timestamps.length > 0 && { timestamps }) };
}

function timeFrom(seconds: string | undefined): { readonly time?: string } {
  const time = new Date(Number(seconds) * 1000);
  return seconds === undefined || seconds === "0" || Number.isNaN(time.getTime()) ? {} : { time: time.toISOString() };
}

/** One line each. */
export function factLines({ certificate, log = [], timestamps = [] }: Facts): readonly string[] {
  const { identities = [], issuer } = certificate ?? {};
  return [
    ...(certificate ? [`signer  ${identities.join(", ") || "nobody named"}${issuer === undefined ? "" : `, as ${issuer} says`}`] : []),
    ...log.map(({ index, time }) => `log  entry ${index}${time === undefined ? "" : ` of ${time}`}`),
    ...timestamps.map((time) => `timestamp  ${time}`),
  ];
}
