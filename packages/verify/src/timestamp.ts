import type { TrustedAuthority } from "@countersign/core";
import { certificateAuthority, faultIn } from "./one-question.ts";
import { sigstoreCore, type Verify } from "./sigstore-library.ts";

type Token = Extract<Verify.SignedEntity["timestamps"][number], { $case: "timestamp-authority" }>["timestamp"];

/** When a trusted authority saw one of these (RFC 3161), or a sentence that says why it did not. */
export function timestampOf(token: string, stamped: readonly Uint8Array[], authorities: readonly TrustedAuthority[]): Date | string {
  const timestamp = tokenFrom(token);
  if (!timestamp) return "the timestamp cannot be read";
  const isOver = (bytes: Uint8Array): boolean =>
    faultIn({
      content: { signature: Buffer.from(bytes) },
      timestamps: [{ $case: "timestamp-authority", timestamp }],
      trust: { timestampAuthorities: authorities.map(certificateAuthority) },
      timestampsWanted: 1,
    }) === undefined;
  if (stamped.some(isOver)) return timestamp.signingTime;
  return "no trusted timestamp authority made this timestamp over this signature";
}

/** What a token says, believing nothing: RFC 3339; undefined where it cannot be read. */
export const claimedTime = (token: string): string | undefined => tokenFrom(token)?.signingTime.toISOString();

function tokenFrom(base64: string): Token | undefined {
  try {
    const token = sigstoreCore().RFC3161Timestamp.parse(Buffer.from(base64, "base64"));
    return Number.isNaN(token.signingTime.getTime()) ? undefined : token;
  } catch {
    return undefined;
  }
}
