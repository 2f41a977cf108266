import type { Period, TrustedAuthority, TrustedKey, TrustSource } from "@countersign/core";

/** Whom certificates and their timestamps must come from. */
export interface KeylessTrust {
  readonly certificateAuthorities: readonly TrustedAuthority[];
  /** None: timestamps are not asked for. */
  readonly ctLogs: readonly TrustedKey[];
}

export type KeylessTrustSource = TrustSource<KeylessTrust>;

export function covers({ start, end }: Period = {}, time: Date): boolean {
  return (start === undefined || new Date(start) <= time) && (end === undefined || time <= new Date(end));
}
